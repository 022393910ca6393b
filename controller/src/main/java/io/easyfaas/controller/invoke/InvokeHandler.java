package io.easyfaas.controller.invoke;

import io.easyfaas.controller.registry.FunctionReference;
import io.easyfaas.controller.runtime.FlushQueue;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Picks invocations out of a connection's requests, one at a time, and writes their answers. What
/// is not an invocation goes on to the admin API. Confined to the connection's event loop.
///
/// Clients that keep a connection mostly call one function over it, so what the last request line
/// meant is kept.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class InvokeHandler extends ChannelInboundHandlerAdapter implements FlushQueue.Source {
  private final InvokePath path;
  private final FlushQueue flushes;
  private final RequestIds requestIds;

  private @Nullable ChannelHandlerContext context;
  private @Nullable Invocation current;
  private boolean flushQueued;
  private String lastUri = "";
  private @Nullable InvokeTarget lastTarget;
  private @Nullable FunctionReference lastReference;

  InvokeHandler(InvokePath path, FlushQueue flushes, RequestIds requestIds) {
    this.path = path;
    this.flushes = flushes;
    this.requestIds = requestIds;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (!(message instanceof FullHttpRequest request)
        || !request.method().equals(HttpMethod.POST)) {
      ctx.fireChannelRead(message);
      return;
    }
    InvokeTarget target = target(request.uri());
    if (target == null) {
      ctx.fireChannelRead(message);
      return;
    }
    InvokeHeaders headers = InvokeHeaders.read(request.headers());
    Invocation call =
        new Invocation(
            path,
            this,
            ctx,
            connection(request),
            requestIds.take(headers.requestId()),
            headers,
            target,
            reference(target, headers),
            request.content());
    current = call;
    call.begin();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    Invocation abandoned = current;
    current = null;
    if (abandoned != null) {
      abandoned.abandon();
    }
    ctx.fireChannelInactive();
  }

  @Override
  public void flush() {
    flushQueued = false;
    if (context != null) {
      context.flush();
    }
  }

  /// Writes a call's answer, unless its client is gone. On the connection's event loop.
  ///
  /// @param answer the whole encoded answer; ownership passes to this method
  void answer(Invocation call, ByteBuf answer, Answers.Connection connection) {
    ChannelHandlerContext ctx = context;
    if (ctx == null || current != call) {
      answer.release();
      return;
    }
    current = null;
    if (connection == Answers.Connection.CLOSE) {
      ctx.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
      return;
    }
    ctx.write(answer, ctx.voidPromise());
    if (!flushQueued) {
      flushQueued = true;
      flushes.add(this);
    }
  }

  private @Nullable InvokeTarget target(String uri) {
    if (!uri.equals(lastUri)) {
      Optional<InvokeTarget> parsed = InvokeTarget.parse(uri);
      lastUri = uri;
      lastTarget = parsed.orElse(null);
      lastReference = null;
    }
    return lastTarget;
  }

  private FunctionReference reference(InvokeTarget target, InvokeHeaders headers) {
    String authorization = path.rules.showsAuthorization() ? headers.authorization() : "";
    FunctionReference last = lastReference;
    if (last != null
        && last.account().equals(headers.account())
        && last.authorization().equals(authorization)) {
      return last;
    }
    boolean isBrn = target.function().indexOf(':') >= 0;
    FunctionReference reference =
        new FunctionReference(
            target.function(), isBrn ? "" : target.qualifier(), headers.account(), authorization);
    lastReference = reference;
    return reference;
  }

  private static Answers.Connection connection(FullHttpRequest request) {
    if (!HttpUtil.isKeepAlive(request)) {
      return Answers.Connection.CLOSE;
    }
    return request.protocolVersion().equals(HttpVersion.HTTP_1_1)
        ? Answers.Connection.KEEP
        : Answers.Connection.KEEP_AND_SAY_SO;
  }
}
