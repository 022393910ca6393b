package io.easyfaas.httptrigger.route;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.Exchange;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.httptrigger.event.FunctionAnswer;
import io.easyfaas.httptrigger.event.HttpEvent;
import io.easyfaas.httptrigger.event.TriggerResponse;
import io.netty.buffer.ByteBuf;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One request to a URL: from its body to an event, through the door, and from the answer to a
/// response. What is small is translated where it is; what is large on a thread of its own, since
/// it takes time in proportion. A client that leaves cancels its call.
final class TriggerCall implements CallSink, Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(TriggerCall.class);

  // Takes a loop some tens of microseconds to translate.
  private static final int SMALL_BYTES = 32 * 1024;

  private final TriggerRoutes routes;
  private final Exchange exchange;
  private final String requestId;
  private final FunctionReference function;
  private final CallTerms terms;
  private final CallHeaders headers;

  // The answer may begin, and the client leave, on another thread before there is a call to tell.
  private final CompletableFuture<Call> call = new CompletableFuture<>();
  private volatile boolean clientLeft;
  private boolean begun;
  private boolean isOver;

  TriggerCall(
      TriggerRoutes routes,
      Exchange exchange,
      String requestId,
      FunctionReference function,
      CallTerms terms,
      CallHeaders headers) {
    this.routes = routes;
    this.exchange = exchange;
    this.requestId = requestId;
    this.function = function;
    this.terms = terms;
    this.headers = headers;
  }

  /// Makes the call. On the connection's event loop.
  ///
  /// @param body belongs to the call from now on
  void begin(HttpEvent event, ByteBuf body) {
    exchange.whenLeft(this);
    translate(body, () -> invoke(event, body));
  }

  private void invoke(HttpEvent event, ByteBuf body) {
    if (clientLeft) {
      return;
    }
    HttpEvent.Form form = event.form(body);
    // Bytes that become part of the event keep their owner.
    Reservation owner =
        form.isPlain() ? null : routes.owner(function.account(), body, form.bytes());
    ByteBuf json = event.toJson(exchange.allocator(), form, body, owner);
    CallRequest request =
        new CallRequest(function, requestId.getBytes(US_ASCII), terms, headers, json);
    call.complete(routes.invoker().invoke(request, this));
  }

  /// The client has left. On the connection's event loop.
  @Override
  public void run() {
    clientLeft = true;
    tell(Call::cancel);
  }

  @Override
  public void answered(Receipt receipt, ByteBuf answer) {
    ByteBuf mine =
        OwnedBytes.keep(exchange.allocator(), answer, routes.budget(), function.account());
    translate(mine, () -> respond(receipt, mine));
  }

  private void respond(Receipt receipt, ByteBuf answer) {
    TriggerResponse response;
    try {
      response = translation().toHttp(receipt, answer);
    } catch (ApiException e) {
      if (!receipt.failed()) {
        throw e;
      }
      exchange.answer(error(e).withHeader(Headers.FUNCTION_ERROR, "Unhandled"));
      return;
    }
    exchange.answer(response.status(), response.headers(), response.body());
  }

  private FunctionAnswer translation() {
    return new FunctionAnswer(
        bytes -> routes.memory(exchange.allocator(), function.account(), bytes), requestId);
  }

  @Override
  public void began(AnswerHead head) {
    TriggerResponse response;
    try {
      response = translation().toHttp(head);
    } catch (ApiException e) {
      tell(Call::cancel);
      isOver = true;
      tell(e);
      return;
    }
    begun = true;
    exchange.begin(response.status(), response.headers(), head.length());
  }

  @Override
  public void part(ByteBuf bytes) {
    if (isOver) {
      return;
    }
    exchange.part(bytes, size -> tell(begun -> begun.taken(size)));
  }

  @Override
  public void ended(Receipt receipt) {
    if (!isOver) {
      exchange.end(Map.of());
    }
  }

  @Override
  public void failed(CallFailure failure) {
    if (isOver) {
      return;
    }
    if (begun || !(failure instanceof CallFailure.Told told)) {
      exchange.breakOff();
      return;
    }
    tell(told instanceof CallFailure.ByEngine ? hidden(told.why()) : told.why());
  }

  /// The controller's own failure is one behind a gateway; what is the gateway's stays.
  private static ApiException hidden(ApiException why) {
    return switch (why.code()) {
      case GATEWAY_TIMEOUT, BAD_GATEWAY, UNAVAILABLE -> why;
      default -> new ApiException(ErrorCode.INTERNAL, Json.PASCAL.writeText(why.document()));
    };
  }

  private void tell(Consumer<Call> word) {
    var _ = call.thenAccept(word);
  }

  private void tell(ApiException failure) {
    exchange.answer(error(failure));
  }

  private HttpResponse error(ApiException failure) {
    return HttpResponse.error(failure).withHeader(Headers.REQUEST_ID, requestId);
  }

  /// Translates here or on a thread, by size; the buffer is released after it.
  private void translate(ByteBuf bytes, Runnable work) {
    if (bytes.readableBytes() <= SMALL_BYTES) {
      run(bytes, work);
      return;
    }
    try {
      routes.threads().execute(() -> run(bytes, work));
    } catch (RejectedExecutionException _) {
      bytes.release();
      tell(new ApiException(ErrorCode.UNAVAILABLE, "the trigger is stopping"));
    }
  }

  private void run(ByteBuf bytes, Runnable work) {
    try {
      work.run();
    } catch (ApiException e) {
      tell(e);
    } catch (Throwable e) { // Without an answer the client would hang.
      LOG.error("request={}: translation failed", requestId, e);
      tell(ApiException.of(e));
    } finally {
      bytes.release();
    }
  }
}
