package io.easyfaas.common.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpUtil;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The border between the event loop and blocking code: each request gets a virtual thread, whose
/// answer is written back on the loop. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class RequestDispatcher extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(RequestDispatcher.class);

  private final HttpHandler handler;
  private final Executor threads;
  private final AtomicBoolean draining;

  /// @param draining whether answers end their connections, whatever clients ask for
  RequestDispatcher(HttpHandler handler, Executor threads, AtomicBoolean draining) {
    this.draining = draining;
    this.handler = handler;
    this.threads = threads;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest message) {
    HttpRequest request = NettyHttp.request(message);
    boolean keepAlive = HttpUtil.isKeepAlive(message);
    boolean isHead = message.method().equals(HttpMethod.HEAD);
    try {
      threads.execute(() -> {
        HttpResponse response = HttpServer.answer(handler, request);
        boolean staysOpen = keepAlive && !draining.get();
        FullHttpResponse answer = message(request, response, staysOpen);
        if (isHead) {
          // The head says how long the body would be (RFC 9110 §9.3.2).
          answer = answer.replace(Unpooled.EMPTY_BUFFER);
        }
        ChannelFuture written = ctx.writeAndFlush(answer);
        if (!staysOpen) {
          written.addListener(ChannelFutureListener.CLOSE);
        }
      });
    } catch (RejectedExecutionException _) {
      ctx.close(); // The server is closing.
    }
  }

  private static FullHttpResponse message(
      HttpRequest request, HttpResponse response, boolean keepAlive) {
    try {
      return NettyHttp.response(response, keepAlive);
    } catch (IllegalArgumentException e) {
      LOG.error("{} {}: the answer is not HTTP", request.method(), request.target(), e);
      return NettyHttp.response(HttpResponse.error(e), keepAlive);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean clientLeft =
        cause instanceof IOException || cause instanceof PrematureChannelClosureException;
    if (!clientLeft) {
      LOG.warn("connection {} failed", ctx.channel(), cause);
    }
    ctx.close();
  }
}
