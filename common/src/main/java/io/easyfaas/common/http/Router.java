package io.easyfaas.common.http;

import io.easyfaas.common.wire.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Finds the handler of a request by method and path. The first route that matches wins. Immutable
/// once built; thread-safe.
///
/// A pattern is a path whose segments are literal or, in braces, a parameter that matches any one
/// segment: `/v1/functions/{name}`. An unknown path is answered with 404, a known one with another
/// method with 405 and `Allow`. HEAD is answered by the route for GET where it has none of its own
/// (RFC 9110 §9.1); the server leaves the body out. `OPTIONS *` is told the methods of all routes.
public final class Router implements HttpHandler {
  /// Answers one request whose path matched.
  @FunctionalInterface
  public interface RouteHandler {
    /// Answers the request.
    ///
    /// @param parameters the values of the pattern's parameters, in their order, decoded
    HttpResponse handle(HttpRequest request, List<String> parameters);
  }

  /// Builds a router. Not thread-safe.
  public static final class Builder {
    private final List<Route> routes = new ArrayList<>();
    private int atOnce = Integer.MAX_VALUE;

    private Builder() {}

    /// Adds a route whose requests come whole.
    ///
    /// @param method upper case, or `*` for any
    public Builder route(String method, String pattern, RouteHandler handler) {
      return add(method, pattern, BodyRule.WHOLE, false, handler);
    }

    /// Adds a route for GET whose answer is at hand, see {@link HttpHandler#isAtHand}.
    public Builder atHand(String pattern, RouteHandler handler) {
      return add("GET", pattern, BodyRule.WHOLE, true, handler);
    }

    /// Adds a route whose handler reads the body as it comes, from {@link HttpRequest#stream()}: at
    /// most 256 KiB of it are in memory besides what the handler keeps, and the client is not read
    /// faster than the handler reads.
    ///
    /// A read fails with an {@link java.io.IOException} when the client leaves, sends what is not
    /// HTTP, more than the limit, or too slowly; what the handler answers then is not sent, the
    /// client is told what was wrong with its body. The handler may answer before the end: the
    /// connection is then closed behind the answer. It keeps the connection when it has read to the
    /// end of the stream.
    ///
    /// @param method upper case, or `*` for any
    /// @param body a {@link BodyRule#streamed} one
    public Builder stream(String method, String pattern, BodyRule body, RouteHandler handler) {
      return add(method, pattern, body, false, handler);
    }

    /// Has no more than so many whole requests at work at once, see {@link HttpHandler#atOnce}.
    ///
    /// @param requests at least 1
    public Builder atOnce(int requests) {
      atOnce = requests;
      return this;
    }

    private Builder add(
        String method, String pattern, BodyRule body, boolean atHand, RouteHandler handler) {
      List<String> segments =
          List.of(pattern.split("/")).stream().filter(segment -> !segment.isEmpty()).toList();
      routes.add(new Route(method, segments, body, atHand, handler));
      return this;
    }

    /// The router.
    public Router build() {
      return new Router(List.copyOf(routes), atOnce);
    }
  }

  private record Route(
      String method, List<String> segments, BodyRule body, boolean isAtHand, RouteHandler handler) {
    boolean answers(String requested) {
      return method.equals("*")
          || method.equals(requested)
          || (method.equals("GET") && requested.equals("HEAD"));
    }

    Optional<List<String>> match(List<String> path) {
      if (path.size() != segments.size()) {
        return Optional.empty();
      }
      List<String> parameters = new ArrayList<>();
      for (int i = 0; i < path.size(); i++) {
        if (segments.get(i).startsWith("{")) {
          parameters.add(path.get(i));
        } else if (!segments.get(i).equals(path.get(i))) {
          return Optional.empty();
        }
      }
      return Optional.of(parameters);
    }
  }

  private final List<Route> routes;
  private final int atOnce;

  private Router(List<Route> routes, int atOnce) {
    this.routes = routes;
    this.atOnce = atOnce;
  }

  /// Starts a router without routes.
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public int atOnce() {
    return atOnce;
  }

  @Override
  public BodyRule bodyRule(HttpRequest head) {
    return find(head).map(Route::body).orElse(BodyRule.WHOLE);
  }

  @Override
  public boolean isAtHand(HttpRequest request) {
    return find(request).map(Route::isAtHand).orElse(false);
  }

  private Optional<Route> find(HttpRequest request) {
    List<String> path = request.path();
    return routes.stream()
        .filter(route -> route.answers(request.method()) && route.match(path).isPresent())
        .findFirst();
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    List<String> path = request.path();
    TreeSet<String> allowed = new TreeSet<>();
    for (Route route : routes) {
      if (request.target().equals("*")) {
        allowed.add(route.method());
        continue;
      }
      Optional<List<String>> parameters = route.match(path);
      if (parameters.isPresent()) {
        if (route.answers(request.method())) {
          return route.handler().handle(request, parameters.get());
        }
        allowed.add(route.method());
      }
    }
    if (allowed.isEmpty()) {
      return HttpResponse.error(ErrorCode.RESOURCE_NOT_FOUND, "no such path");
    }
    allowed.add("OPTIONS");
    String allow = allowed.stream().collect(Collectors.joining(", "));
    return HttpResponse.empty(request.method().equals("OPTIONS") ? 200 : 405)
        .withHeader("Allow", allow);
  }
}
