package io.easyfaas.common.http;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/// Collects a request's parts, and passes on a {@link Refusal} for what cannot become a request:
/// 413 for a body over the limit, 431 for a head that is too large, 400 for bytes that are not
/// HTTP. What comes after a refusal is read and dropped. Confined to the connection's event loop.
final class WholeRequests extends HttpObjectAggregator {
  private final int maxBodyBytes;
  private boolean refused;

  WholeRequests(int maxBodyBytes) {
    super(maxBodyBytes);
    this.maxBodyBytes = maxBodyBytes;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (refused) {
      ReferenceCountUtil.release(message);
      return;
    }
    // Why not leave a broken chunk to the aggregator: it passes what came before as a whole
    // request.
    if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
      boolean tooLong = part.decoderResult().cause() instanceof TooLongFrameException;
      ReferenceCountUtil.release(message);
      refuse(
          ctx,
          tooLong
              ? HttpResponse.text(431, "Too big request header")
              : HttpResponse.text(400, "Error when parsing request"));
      return;
    }
    super.channelRead(ctx, message);
  }

  @Override
  protected void handleOversizedMessage(ChannelHandlerContext ctx, HttpMessage oversized) {
    refuse(
        ctx,
        HttpResponse.error(
            new ApiException(
                ErrorCode.REQUEST_TOO_LARGE,
                "body is larger than the limit (expected: at most " + maxBodyBytes + " bytes)")));
  }

  /// Without this a client that waits for `100 Continue` gets a bare 413 instead of ours.
  @Override
  protected @Nullable Object newContinueResponse(
      HttpMessage start, int maxContentLength, ChannelPipeline pipeline) {
    return isContentLengthInvalid(start, maxContentLength)
        ? null
        : super.newContinueResponse(start, maxContentLength, pipeline);
  }

  private void refuse(ChannelHandlerContext ctx, HttpResponse response) {
    refused = true;
    ctx.fireChannelRead(new Refusal(response));
  }
}
