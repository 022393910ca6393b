package io.easyfaas.common.http;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Makes requests of their parts: a `FullHttpRequest` when the body is here, or, where the handler
/// says so, a {@link StreamedRequest} when the head is. Passes on a {@link Refusal} for what cannot
/// become a request: 413 for a body over the limit, 431 for a head that is too large, 417 for an
/// expectation nobody can meet, 400 for bytes that are not HTTP. What comes after a refusal is read
/// and dropped. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class RequestReader extends ChannelInboundHandlerAdapter {
  // A body so short is taken whole without asking how: it comes with its head.
  private static final int SHORT_BYTES = 8 * 1024;

  private final HttpHandler handler;
  private final int maxBodyBytes;
  private final ReadGate gate;

  private @Nullable HttpRequest head;
  private @Nullable BodyCollector whole;
  private @Nullable BodyStream stream;
  private long length;
  private long received;
  private long limit;
  private boolean refused;

  /// @param handler says how bodies are taken
  /// @param maxBodyBytes of a whole body
  RequestReader(HttpHandler handler, int maxBodyBytes, ReadGate gate) {
    this.handler = handler;
    this.maxBodyBytes = maxBodyBytes;
    this.gate = gate;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (refused) {
        return;
      }
      if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
        boolean tooLong = part.decoderResult().cause() instanceof TooLongFrameException;
        refuse(
            ctx,
            tooLong
                ? HttpResponse.text(431, "Too big request header")
                : HttpResponse.text(400, "Error when parsing request"));
        return;
      }
      if (message instanceof HttpRequest request) {
        begin(ctx, request);
      }
      if (message instanceof HttpContent part && !refused) {
        take(ctx, part.content(), part instanceof LastHttpContent);
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop(new IOException("the client left before the end of the body"), null);
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    drop(new IOException("the connection is gone"), null);
  }

  private void begin(ChannelHandlerContext ctx, HttpRequest request) {
    boolean isChunked = HttpUtil.isTransferEncodingChunked(request);
    length = isChunked ? HttpBody.UNKNOWN : HttpUtil.getContentLength(request, 0L);
    received = 0;
    BodyRule rule = isChunked || length > SHORT_BYTES ? rule(request) : BodyRule.WHOLE;
    limit = rule.isStreamed() ? rule.maxBytes() : Math.min(rule.maxBytes(), maxBodyBytes);
    String expected = request.headers().get(HttpHeaderNames.EXPECT);
    boolean isAsked = HttpUtil.is100ContinueExpected(request);
    if (expected != null && !isAsked && request.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
      refuse(ctx, HttpResponse.text(417, "Expectation Failed"));
      return;
    }
    if (length > limit) {
      refuse(ctx, tooLarge());
      return;
    }
    request.headers().remove(HttpHeaderNames.EXPECT);
    if (rule.isStreamed()) {
      BodyStream body =
          new BodyStream(ctx.executor(), gate, isAsked ? () -> askForBody(ctx) : null);
      stream = body;
      ctx.fireChannelRead(new StreamedRequest(request, body, length));
    } else {
      head = request;
      if (isAsked) {
        askForBody(ctx);
      }
    }
  }

  private BodyRule rule(HttpRequest request) {
    try {
      return handler.bodyRule(NettyHttp.head(request));
    } catch (ApiException _) {
      return BodyRule.WHOLE; // A target that cannot be read; the handler will say so.
    }
  }

  private void take(ChannelHandlerContext ctx, ByteBuf piece, boolean isLast) {
    received += piece.readableBytes();
    if (received > limit) {
      refuse(ctx, tooLarge());
      return;
    }
    BodyStream reading = stream;
    HttpRequest mine = head;
    if (reading != null) {
      reading.offer(piece, isLast);
      stream = isLast ? null : reading;
    } else if (mine != null && isLast && whole == null) {
      finish(ctx, mine, piece.retain());
    } else if (mine != null) {
      BodyCollector collector = whole == null ? new BodyCollector(ctx.alloc()) : whole;
      whole = collector;
      collector.add(piece, Math.max(0, length - received));
      if (isLast) {
        whole = null;
        finish(ctx, mine, collector.finish());
      }
    }
  }

  private void finish(ChannelHandlerContext ctx, HttpRequest request, ByteBuf body) {
    head = null;
    if (length == HttpBody.UNKNOWN) {
      HttpUtil.setTransferEncodingChunked(request, false);
      request.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
    }
    ctx.fireChannelRead(
        new DefaultFullHttpRequest(
            request.protocolVersion(),
            request.method(),
            request.uri(),
            body,
            request.headers(),
            EmptyHttpHeaders.INSTANCE));
  }

  private static void askForBody(ChannelHandlerContext ctx) {
    ctx.writeAndFlush(
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
  }

  private HttpResponse tooLarge() {
    return HttpResponse.error(
        new ApiException(
            ErrorCode.REQUEST_TOO_LARGE,
            "body is larger than the limit (expected: at most " + limit + " bytes)"));
  }

  /// Answers instead of whoever would have got the request, or whoever is reading its body.
  private void refuse(ChannelHandlerContext ctx, HttpResponse response) {
    refused = true;
    if (stream == null) {
      drop(new IOException("refused"), response);
      ctx.fireChannelRead(new Refusal(response));
    } else {
      drop(new IOException("refused with status " + response.status()), response);
    }
  }

  private void drop(IOException cause, @Nullable HttpResponse answer) {
    BodyStream reading = stream;
    BodyCollector collecting = whole;
    head = null;
    whole = null;
    stream = null;
    if (reading != null) {
      reading.fail(cause, answer);
    }
    if (collecting != null) {
      collecting.release();
    }
  }
}
