package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.BodyRule;
import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.Router;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreException;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The registry's interface, see docs/registry.md: over HTTP, and what the engine asks for also by
/// method calls. Thread-safe.
public final class FunctionRoutes implements HttpHandler {
  private static final int MAX_ACCOUNT_CHARACTERS = 128;

  private final FunctionRegistry registry;
  private final RuntimeCatalog runtimes;
  private final UploadRoom room;
  private final UploadReader uploads;
  private final ListPages lists;
  private final Router router;

  private record RuntimeList(List<RuntimeConfiguration> runtimes) {}

  private record PublishRequest(@Nullable String description) {}

  /// Creates the routes.
  public FunctionRoutes(
      FunctionStore store,
      FunctionRegistry registry,
      RuntimeCatalog runtimes,
      UploadLimits limits) {
    this.registry = registry;
    this.runtimes = runtimes;
    this.room = new UploadRoom(limits.maxUploads(), limits.maxSpace());
    this.uploads = new UploadReader(store, limits.maxCode(), room);
    this.lists = new ListPages(registry::configuration);
    Router.Builder routes =
        Router.builder()
            .atOnce(HttpHandler.FEW_AT_ONCE)
            .route("GET", "/hello", (_, _) -> HttpResponse.text(200, "hello controller stubs"))
            .atHand("/healthz", (_, _) -> HttpResponse.text(200, "ok"));
    BodyRule upload = UploadReader.bodyRule(limits.maxCode());
    addFunctions(routes, "/v1", upload);
    addFunctions(routes, "/inside-v1", upload); // What the engine asks for on its own behalf.
    this.router = routes.build();
  }

  @Override
  public BodyRule bodyRule(HttpRequest head) {
    return router.bodyRule(head);
  }

  @Override
  public boolean isAtHand(HttpRequest request) {
    return router.isAtHand(request);
  }

  @Override
  public boolean isCrowded() {
    return room.isCrowded();
  }

  @Override
  public int atOnce() {
    return router.atOnce();
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    return answering(() -> router.handle(request));
  }

  /// What `GET function` answers, for a caller in the same JVM.
  ///
  /// @param name a plain name, or a full BRN, whose qualifier wins
  /// @param qualifier empty for none
  /// @param account the caller's plain account id, empty for none
  /// @throws ApiException with the status and the document that HTTP would give
  public FunctionDocument function(String name, String qualifier, String account) {
    return answering(() -> registry.get(named(name, qualifier, caller(account))));
  }

  /// What `GET runtime configuration` answers, for a caller in the same JVM.
  ///
  /// @throws ApiException with the status and the document that HTTP would give
  public RuntimeConfiguration runtime(String name) {
    return runtimes
        .find(name)
        .orElseThrow(() ->
            new ApiException(
                ErrorCode.RESOURCE_NOT_FOUND,
                "not found runtime " + quoted(name) + " (expected: " + runtimes.expected() + ")"));
  }

  private static <T> T answering(Supplier<T> work) {
    try {
      return work.get();
    } catch (InvalidBrnException | JsonException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, String.valueOf(e.getMessage()));
    } catch (StoreException e) {
      throw new ApiException(e.code(), String.valueOf(e.getMessage()));
    }
  }

  private void addFunctions(Router.Builder routes, String prefix, BodyRule upload) {
    routes.route("GET", prefix + "/functions", (request, _) -> list(request)).stream(
            "POST", prefix + "/functions/{name}", upload, this::create)
        .stream("PUT", prefix + "/functions/{name}", upload, this::update)
        .route("GET", prefix + "/functions/{name}", (request, path) -> get(request, path))
        .route("DELETE", prefix + "/functions/{name}", (request, path) -> delete(request, path))
        .route(
            "POST",
            prefix + "/functions/{name}/versions",
            (request, path) -> publish(request, path))
        .route(
            "GET",
            prefix + "/functions/{name}/versions",
            (request, path) -> versions(request, path))
        .route("GET", prefix + "/runtimes", (_, _) -> listRuntimes())
        .route(
            "GET",
            prefix + "/runtimes/{name}/configuration",
            (_, path) -> HttpResponse.document(200, runtime(path.getFirst())));
  }

  private HttpResponse create(HttpRequest request, List<String> path) {
    Account caller = caller(request);
    registry.create(caller, named(request, path, caller), () -> uploads.read(caller, request));
    return HttpResponse.empty(200);
  }

  private HttpResponse update(HttpRequest request, List<String> path) {
    Account caller = caller(request);
    return HttpResponse.document(
        200,
        registry.update(caller, named(request, path, caller), () -> uploads.read(caller, request)));
  }

  private HttpResponse get(HttpRequest request, List<String> path) {
    return HttpResponse.document(200, registry.get(named(request, path, caller(request))));
  }

  private HttpResponse list(HttpRequest request) {
    Account caller = caller(request);
    return lists.page(
        request,
        "Functions",
        after -> registry.list(caller, after),
        revision -> revision.unqualified().toString());
  }

  private HttpResponse delete(HttpRequest request, List<String> path) {
    Account caller = caller(request);
    registry.delete(caller, named(request, path, caller));
    return HttpResponse.empty(204);
  }

  private HttpResponse publish(HttpRequest request, List<String> path) {
    Account caller = caller(request);
    PublishRequest wanted =
        request.body().length == 0
            ? new PublishRequest(null)
            : Json.PASCAL.read(request.body(), PublishRequest.class);
    FunctionBrn function = FunctionBrn.resolve(path.getFirst(), caller);
    if (!(function.qualifier() instanceof Qualifier.Absent)
        && !function.qualifier().equals(Qualifier.LATEST)) {
      throw invalid("Version", quoted(function.qualifier().toString()), "none, or $LATEST");
    }
    return HttpResponse.document(201, registry.publish(caller, function, wanted.description()));
  }

  private HttpResponse versions(HttpRequest request, List<String> path) {
    FunctionBrn function = FunctionBrn.resolve(path.getFirst(), caller(request));
    return lists.page(
        request,
        "Versions",
        after -> registry.versions(function, after),
        revision -> revision.qualifier().toString());
  }

  private HttpResponse listRuntimes() {
    return HttpResponse.document(200, new RuntimeList(runtimes.list()));
  }

  private static Account caller(HttpRequest request) {
    return caller(request.header(Headers.ACCOUNT_ID, Headers.LEGACY_ACCOUNT_ID).orElse(""));
  }

  private static Account caller(String id) {
    if (id.length() > MAX_ACCOUNT_CHARACTERS) {
      throw invalid(
          Headers.ACCOUNT_ID, quoted(id), "at most " + MAX_ACCOUNT_CHARACTERS + " characters");
    }
    return id.isEmpty() ? Account.DEFAULT : new Account(id);
  }

  /// The function a request means. A qualifier in the name wins over one in the query.
  private static FunctionBrn named(HttpRequest request, List<String> path, Account caller) {
    return named(path.getFirst(), request.query("Qualifier").orElse(""), caller);
  }

  private static FunctionBrn named(String name, String qualifier, Account caller) {
    FunctionBrn brn = FunctionBrn.resolve(name, caller);
    boolean useQuery = brn.qualifier() instanceof Qualifier.Absent && !qualifier.isEmpty();
    return useQuery ? brn.withQualifier(Qualifier.parse(qualifier)) : brn;
  }
}
