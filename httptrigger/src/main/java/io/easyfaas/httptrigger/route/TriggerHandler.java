package io.easyfaas.httptrigger.route;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.easyfaas.common.http.Exchange;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.InvokeHeaders;
import io.easyfaas.common.http.LoopHandler;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.RequestIds;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.httptrigger.event.HttpEvent;
import java.util.List;

/// Picks the calls out of a connection's requests and begins them. Confined to the connection's
/// event loop.
final class TriggerHandler implements LoopHandler {
  private final TriggerRoutes routes;
  private final RequestIds requestIds;
  private final InvokeHeaders headers = new InvokeHeaders();

  TriggerHandler(TriggerRoutes routes, RequestIds requestIds) {
    this.routes = routes;
    this.requestIds = requestIds;
  }

  @Override
  public boolean take(Exchange exchange) {
    HttpRequest head = exchange.head();
    List<String> path;
    try {
      path = head.path();
    } catch (ApiException _) {
      return false; // The router says what is wrong.
    }
    if (path.size() != 2 && path.size() != 3) {
      return false;
    }
    headers.read(exchange.headers());
    byte[] requestId = requestIds.take(headers.requestId());
    String id = new String(requestId, ISO_8859_1);
    try {
      routes.checkOpen();
      headers.check();
      TriggerUrl url = routes.url(path);
      HttpEvent event = HttpEvent.of(head, url.function(), url.account().id(), id);
      TriggerCall call =
          new TriggerCall(
              routes,
              exchange,
              id,
              new FunctionReference(
                  url.function().toString(), "", url.account().id(), headers.authorization()),
              routes.terms(headers.wantsTail("")),
              headers.carried());
      call.begin(event, exchange.takeBody());
    } catch (ApiException e) {
      exchange.takeBody().release();
      exchange.answer(HttpResponse.error(e).withHeader(Headers.REQUEST_ID, id));
    } finally {
      headers.clear();
    }
    return true;
  }
}
