package io.easyfaas.controller.call;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.http.Exchange;
import io.easyfaas.common.http.InvokeHeaders;
import io.easyfaas.common.http.LoopHandler;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.RequestIds;
import io.easyfaas.common.wire.ApiException;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMethod;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Picks invocations out of a connection's requests. What is not an invocation is left to the admin
/// API. Confined to the connection's event loop.
///
/// Clients that keep a connection mostly call one function over it, so what the last request meant
/// is kept.
final class InvokeApi implements LoopHandler {
  private static final int MAX_KEPT_CHARS = 1024;

  private final InvokeFront front;
  private final RequestIds requestIds;
  private final InvokeHeaders headers = new InvokeHeaders();

  private String lastUri = "";
  private @Nullable InvokeTarget lastTarget;
  private @Nullable FunctionReference lastFunction;

  InvokeApi(InvokeFront front, RequestIds requestIds) {
    this.front = front;
    this.requestIds = requestIds;
  }

  @Override
  public boolean take(Exchange exchange) {
    Invoker door = front.invoker();
    if (door == null || !exchange.method().equals(HttpMethod.POST)) {
      return false;
    }
    InvokeTarget target = target(exchange.target());
    if (target == null) {
      return false;
    }
    headers.read(exchange.headers());
    byte[] requestId = requestIds.take(headers.requestId());
    boolean logInBody = headers.wantsLogInBody() || target.logToBody().equals("true");
    HttpCall call = new HttpCall(front, exchange, requestId, logInBody);
    ByteBuf event = exchange.takeBody();
    try {
      headers.check();
      call.begin(
          door,
          new CallRequest(function(target), requestId, terms(target), headers.carried(), event));
    } catch (ApiException e) {
      event.release();
      call.failed(CallFailure.of(e));
    } finally {
      headers.clear();
    }
    return true;
  }

  private @Nullable InvokeTarget target(String uri) {
    if (!uri.equals(lastUri)) {
      Optional<InvokeTarget> parsed = InvokeTarget.parse(uri);
      if (uri.length() > MAX_KEPT_CHARS) {
        forget();
        return parsed.orElse(null);
      }
      lastUri = uri;
      lastTarget = parsed.orElse(null);
      lastFunction = null;
    }
    return lastTarget;
  }

  /// An idle connection keeps nothing that its client made long.
  private void forget() {
    lastUri = "";
    lastTarget = null;
    lastFunction = null;
  }

  private FunctionReference function(InvokeTarget target) {
    FunctionReference last = lastFunction;
    if (last == null
        || !last.account().equals(headers.account())
        || !last.authorization().equals(headers.authorization())) {
      last =
          new FunctionReference(
              target.function(),
              FunctionBrn.looksLikeBrn(target.function()) ? "" : target.qualifier(),
              headers.account(),
              headers.authorization());
      boolean isShort =
          target.function().length()
                  + target.qualifier().length()
                  + headers.account().length()
                  + headers.authorization().length()
              <= MAX_KEPT_CHARS;
      lastFunction = isShort ? last : null;
    }
    return last;
  }

  private CallTerms terms(InvokeTarget target) {
    boolean wantsTail = headers.wantsTail(target.logType());
    if (!wantsTail && headers.trigger().isEmpty()) {
      return CallTerms.USUAL;
    }
    return new CallTerms(
        CallTerms.FOREVER,
        CallTerms.Priority.NORMAL,
        wantsTail ? CallTerms.LogWish.TAIL : CallTerms.LogWish.NONE,
        headers.trigger().isEmpty()
            ? CallTerms.GENERIC
            : headers.trigger().toLowerCase(Locale.ROOT));
  }
}
