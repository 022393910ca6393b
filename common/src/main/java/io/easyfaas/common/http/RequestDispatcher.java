package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ApiException;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The border between the event loop and blocking code: each request gets a virtual thread, whose
/// answer is written back on the loop. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class RequestDispatcher extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(RequestDispatcher.class);

  private final HttpHandler handler;
  private final Executor threads;
  private final Turns turns;
  private final ReadGate gate;
  private final ConnectionLimit connections;
  private final ByteBudget budget;
  private final AtomicBoolean draining;

  /// @param turns of the server's requests
  /// @param budget that answers are in until their clients have taken them
  /// @param draining whether answers end their connections, whatever clients ask for
  RequestDispatcher(
      HttpHandler handler,
      Executor threads,
      Turns turns,
      ReadGate gate,
      ConnectionLimit connections,
      ByteBudget budget,
      AtomicBoolean draining) {
    this.connections = connections;
    this.budget = budget;
    this.draining = draining;
    this.handler = handler;
    this.threads = threads;
    this.turns = turns;
    this.gate = gate;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    switch (message) {
      case StreamedRequest streamed ->
          dispatch(ctx, streamed, answers -> answerStreamed(streamed, answers));
      case FullHttpRequest whole -> dispatch(ctx, whole, answers -> answerWhole(whole, answers));
      default -> ReferenceCountUtil.release(message); // The sequencer lets nothing else through.
    }
  }

  private void dispatch(
      ChannelHandlerContext ctx,
      io.netty.handler.codec.http.HttpRequest message,
      Consumer<AnswerWriter> work) {
    AnswerWriter answers =
        new AnswerWriter(ctx, budget, turns, message.method().equals(HttpMethod.HEAD));
    try {
      threads.execute(() -> work.accept(answers));
    } catch (RejectedExecutionException _) {
      ReferenceCountUtil.release(message);
      ctx.close(); // The server is closing.
    }
  }

  private void answerWhole(FullHttpRequest message, AnswerWriter answers) {
    boolean keepAlive = HttpUtil.isKeepAlive(message);
    Optional<Reservation> room = OwnedBytes.takeOwner(message.content());
    try {
      HttpRequest request;
      try {
        request = NettyHttp.request(message);
      } finally {
        message.release();
      }
      HttpResponse response =
          Admission.isAtHand(handler, request)
              ? answer(request, null)
              : turns.make(() -> answer(request, null));
      answers.write(response, keepAlive && !draining.get(), ChannelFutureListener.CLOSE);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // The server is closing, and its connections with it.
    } finally {
      room.ifPresent(Reservation::close);
    }
  }

  private void answerStreamed(StreamedRequest message, AnswerWriter answers) {
    BodyStream body = message.body();
    HttpRequest request = NettyHttp.request(message, new HttpBody.Stream(body, message.length()));
    HttpResponse response;
    try {
      response = answer(request, body);
    } finally {
      body.close();
    }
    boolean wholeBodyCame = body.isEnded() && body.refusal().isEmpty();
    answers.write(
        body.refusal().orElse(response),
        HttpUtil.isKeepAlive(message) && wholeBodyCame && !draining.get(),
        wholeBodyCame ? ChannelFutureListener.CLOSE : new LingeringClose(gate, connections));
  }

  /// Turns anything a handler may throw into an answer.
  private HttpResponse answer(HttpRequest request, @Nullable BodyStream body) {
    try {
      return handler.handle(request).identified(request.requestId());
    } catch (ApiException e) {
      return HttpResponse.error(e).identified(request.requestId());
    } catch (Throwable e) { // Top of the request's thread: without an answer the client would hang.
      if (body == null || !body.isBroken()) {
        LOG.error("{} {} failed", request.method(), request.target(), e);
      }
      return HttpResponse.error(e).identified(request.requestId());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean clientLeft =
        cause instanceof IOException
            || cause instanceof UncheckedIOException
            || cause instanceof PrematureChannelClosureException;
    if (!clientLeft) {
      LOG.warn("connection {} failed", ctx.channel(), cause);
    }
    ctx.close();
  }
}
