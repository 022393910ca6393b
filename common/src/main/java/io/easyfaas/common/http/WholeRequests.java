package io.easyfaas.common.http;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.util.ReferenceCountUtil;

/// Collects a request's parts, and answers what cannot become a request: 413 for a body over the
/// limit, 431 for a head that is too large, 400 for bytes that are not HTTP. Confined to the
/// connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class WholeRequests extends HttpObjectAggregator {
  private final int maxBodyBytes;

  WholeRequests(int maxBodyBytes) {
    super(maxBodyBytes);
    this.maxBodyBytes = maxBodyBytes;
  }

  @Override
  protected void handleOversizedMessage(ChannelHandlerContext ctx, HttpMessage oversized) {
    answerAndClose(
        ctx,
        HttpResponse.error(
            new ApiException(
                ErrorCode.REQUEST_TOO_LARGE,
                "body is larger than the limit (expected: at most " + maxBodyBytes + " bytes)")));
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (message instanceof io.netty.handler.codec.http.HttpRequest request
        && request.decoderResult().isFailure()) {
      boolean tooLong = request.decoderResult().cause() instanceof TooLongFrameException;
      ReferenceCountUtil.release(message);
      answerAndClose(
          ctx,
          tooLong
              ? HttpResponse.text(431, "Too big request header")
              : HttpResponse.text(400, "Error when parsing request"));
      return;
    }
    super.channelRead(ctx, message);
  }

  private static void answerAndClose(ChannelHandlerContext ctx, HttpResponse response) {
    ctx.channel().config().setAutoRead(false);
    ctx.writeAndFlush(NettyHttp.response(response, false)).addListener(ChannelFutureListener.CLOSE);
  }
}
