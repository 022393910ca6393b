package io.easyfaas.common.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One connection of an {@link HttpClient}; hands each answer to the one waiting caller. What is
/// not volatile is written before the connection is put on the idle list and read after it was
/// taken from there.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class ClientConnection extends SimpleChannelInboundHandler<FullHttpResponse> {
  private final Channel channel;
  private final Consumer<ClientConnection> whenClosed;
  private long idleSince;
  private volatile boolean reusable = true;
  private volatile @Nullable CompletableFuture<HttpResponse> waiting;

  /// @param whenClosed is told on the event loop
  ClientConnection(Channel channel, Consumer<ClientConnection> whenClosed) {
    this.channel = channel;
    this.whenClosed = whenClosed;
  }

  Channel channel() {
    return channel;
  }

  /// Whether another request may be sent.
  boolean isReusable() {
    return reusable;
  }

  /// Nobody uses it from now on.
  void idles() {
    idleSince = System.nanoTime();
  }

  /// For how long nobody has used it.
  long idleNanos() {
    return System.nanoTime() - idleSince;
  }

  /// A request is about to be sent.
  ///
  /// @param answer completed with its answer, or with why there is none
  void expect(CompletableFuture<HttpResponse> answer) {
    waiting = answer;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpResponse message) {
    CompletableFuture<HttpResponse> answer = waiting;
    waiting = null;
    boolean broken = message.decoderResult().isFailure();
    reusable = answer != null && !broken && HttpUtil.isKeepAlive(message);
    if (answer != null && broken) {
      answer.completeExceptionally(message.decoderResult().cause());
    } else if (answer != null) {
      answer.complete(
          new HttpResponse(
              message.status().code(),
              NettyHttp.headers(message.headers()),
              ByteBufUtil.getBytes(message.content())));
    }
    if (!reusable) {
      ctx.close(); // Last, because it fails a body that is still being written.
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    whenClosed.accept(this);
    fail(new ClosedBeforeAnswerException(true, null));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean connectionLost = cause instanceof IOException;
    fail(connectionLost ? new ClosedBeforeAnswerException(true, cause) : cause);
    ctx.close();
  }

  private void fail(Throwable cause) {
    CompletableFuture<HttpResponse> answer = waiting;
    waiting = null;
    if (answer != null) {
      answer.completeExceptionally(cause);
    }
  }
}
