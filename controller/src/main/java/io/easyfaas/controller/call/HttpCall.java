package io.easyfaas.controller.call;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.easyfaas.common.http.Exchange;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.http.Persistence;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// One invocation over HTTP: what becomes of the call is written as the exchange's answer, a client
/// that leaves cancels the call. Begins on the connection's event loop.
///
/// An answer in parts whose second half never comes is broken off: the status was sent with the
/// first, so the connection's end is all that can tell (RFC 9112 §8).
final class HttpCall implements CallSink, Runnable {
  private final InvokeFront front;
  private final Exchange exchange;
  private final byte[] requestId;
  private final boolean logInBody;

  private volatile Call call = Call.ENDED;
  private volatile @Nullable BodyWithLog writing;
  private volatile boolean left;
  private String account = "";
  private boolean begun;

  /// @param requestId ASCII
  /// @param logInBody whether the answer is a document of payload and log
  HttpCall(InvokeFront front, Exchange exchange, byte[] requestId, boolean logInBody) {
    this.front = front;
    this.exchange = exchange;
    this.requestId = requestId;
    this.logInBody = logInBody;
  }

  /// Makes the call.
  void begin(Invoker door, CallRequest request) {
    account = request.function().account();
    exchange.whenLeft(this);
    call = door.invoke(request, this);
  }

  /// The client has left.
  @Override
  public void run() {
    left = true;
    call.cancel();
    BodyWithLog answer = writing;
    if (answer != null) {
      answer.clientLeft();
    }
  }

  @Override
  public boolean takesParts() {
    return !logInBody;
  }

  @Override
  public void answered(Receipt receipt, ByteBuf answer) {
    boolean isShort = answer.readableBytes() <= Answers.MAX_COPIED_BYTES;
    if (isShort && !logInBody) {
      answerPlain(receipt, answer);
      return;
    }
    ByteBuf owned = OwnedBytes.keep(exchange.allocator(), answer, front.budget(), account);
    if (logInBody) {
      answerWithLog(receipt, owned);
      return;
    }
    try {
      answerPlain(receipt, owned);
    } finally {
      owned.release();
    }
  }

  private void answerPlain(Receipt receipt, ByteBuf answer) {
    Persistence after = exchange.persistence();
    ByteBuf encoded =
        Answers.plain(
            exchange.allocator(),
            after,
            requestId,
            receipt.failed(),
            receipt.executionNanos(),
            receipt.log(),
            answer);
    exchange.answer(encoded, after);
  }

  @Override
  public void began(AnswerHead head) {
    begun = true;
    exchange.begin(200, Answers.streamHeaders(id(), head.contentType()), head.length());
  }

  @Override
  public void part(ByteBuf bytes) {
    exchange.part(bytes, size -> call.taken(size));
  }

  @Override
  public void ended(Receipt receipt) {
    exchange.end(Answers.trailers(receipt));
  }

  @Override
  public void failed(CallFailure failure) {
    if (begun || !(failure instanceof CallFailure.Told told)) {
      exchange.breakOff();
      return;
    }
    exchange.answer(
        HttpResponse.error(told.why())
            .withHeader(Headers.FUNCTION_ERROR, "Unhandled") // As the original; the status tells.
            .withHeader("Content-Type", Answers.TEXT_TYPE)
            .withHeader(Headers.REQUEST_ID, id()));
  }

  /// Escaping a body takes as long as the body is, so a thread does it.
  private void answerWithLog(Receipt receipt, ByteBuf payload) {
    BodyWithLog answer = new BodyWithLog(exchange, id(), receipt);
    writing = answer;
    if (left) { // Maybe before there was something to tell.
      answer.clientLeft();
    }
    try {
      front
          .threads()
          .execute(() -> {
            try {
              answer.write(payload);
            } finally {
              payload.release();
            }
          });
    } catch (RejectedExecutionException _) {
      payload.release();
      failed(CallFailure.of(new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping")));
    }
  }

  private String id() {
    return new String(requestId, ISO_8859_1);
  }
}
