package io.easyfaas.controller.admin;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.Router;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RuntimeInfo;
import io.easyfaas.common.wire.ServiceResource;
import io.easyfaas.controller.pool.PoolUsage;
import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.pool.SlotState;
import io.easyfaas.controller.pool.SlotView;
import io.easyfaas.controller.pool.Unready;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.warden.Warden;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Answers everything but invocations. Thread-safe.
public final class AdminApi {
  /// The answer of `/readyz`.
  private record Readiness(boolean ready, List<String> reasons) {}

  private static final String NEVER = "0001-01-01T00:00:00Z";

  private final Warden warden;
  private final SlotPool pool;
  private final MetricsPage metrics;
  private final Duration runnerAlive;

  /// Creates the API.
  ///
  /// @param runnerAlive how long a runner may take to connect, shown to clients
  public AdminApi(Warden warden, MetricsPage metrics, Duration runnerAlive) {
    this.warden = warden;
    this.pool = warden.pool();
    this.metrics = metrics;
    this.runnerAlive = runnerAlive;
  }

  /// The routes.
  HttpHandler routes() {
    return Router.builder()
        .atHand("/healthz", (_, _) -> alive())
        .atHand("/readyz", (_, _) -> readiness())
        .route("GET", "/v1/runtimes", (_, _) -> text(runtimes()))
        .route("GET", "/v1/resource", (_, _) -> text(resource()))
        .route("POST", "/v1/runtimes/{runtimeID}/invalidate", this::invalidate)
        .route("GET", "/metrics", (_, _) -> metrics.render())
        // Only what the invoke path could not read comes here.
        .route("POST", "/v1/functions/{functionName}/invocations", AdminApi::malformed)
        .build();
  }

  private HttpResponse readiness() {
    List<String> why = new ArrayList<>(pool.unready().stream().map(Unready::word).toList());
    if (warden.isFuncletGone()) {
      why.add("no-funclet");
    }
    return readiness(why);
  }

  /// The answer of `/healthz`.
  static HttpResponse alive() {
    return HttpResponse.text(200, "hello controller");
  }

  /// The answer of `/readyz`.
  ///
  /// @param why words for what speaks against sending calls here; ready when there are none
  static HttpResponse readiness(List<String> why) {
    return HttpResponse.document(why.isEmpty() ? 200 : 503, new Readiness(why.isEmpty(), why));
  }

  private HttpResponse invalidate(HttpRequest request, List<String> parameters) {
    String id = parameters.getFirst();
    try {
      if (pool.invalidate(new ContainerId(id))) {
        return HttpResponse.empty(200);
      }
    } catch (IllegalArgumentException _) {
      // Not even the form of an id: no such container either.
    }
    return HttpResponse.error(ErrorCode.RESOURCE_NOT_FOUND, "can not find runtime " + id);
  }

  private static HttpResponse malformed(HttpRequest request, List<String> parameters) {
    throw new ApiException(
        ErrorCode.INVALID_PARAMETER,
        "query: \"" + request.target() + "\" (expected: well-formed percent escapes)");
  }

  private List<RuntimeInfo> runtimes() {
    return pool.slots().stream().map(this::runtime).toList();
  }

  private RuntimeInfo runtime(SlotView slot) {
    SlotState state = slot.state();
    Optional<ResolvedFunction> function = function(state);
    ByteSize memory = state.marked();
    return new RuntimeInfo(
        slot.id().value(),
        state.wireName(),
        state instanceof SlotState.Serving,
        memory.bytes() > 0,
        slot.isAbnormal(),
        slot.abnormalTimes(),
        new Resource(
            memory.bytes() > 0 ? warden.node().resource().defaults().milliCpus() : 0,
            memory.bytes()),
        function.map(ResolvedFunction::uid).orElse(""),
        function.map(found -> found.key().commitId()).orElse(""),
        function.map(found -> (int) found.memory().mebibytes()).orElse(0),
        function.map(found -> found.concurrency() > 1).orElse(true),
        true,
        state instanceof SlotState.Serving serving ? serving.inFlight() : 0,
        false,
        (int) runnerAlive.toSeconds(),
        slot.times().mountStart(),
        slot.times().mountEnd(),
        slot.times().loadStart(),
        slot.times().loadEnd(),
        slot.accepted(),
        slot.rejected(),
        time(latest(slot)),
        time(slot.lastAccess()),
        time(slot.lastReset()));
  }

  private ServiceResource resource() {
    FuncletNode.FuncletResource node = warden.node().resource();
    PoolUsage usage = pool.usage();
    long cpus =
        pool.slots().stream().filter(slot -> slot.state() instanceof SlotState.Serving).count()
            * node.defaults().milliCpus();
    return new ServiceResource(
        node.capacity(),
        node.allocatable(),
        new Resource(cpus, usage.used().bytes()),
        new Resource(0, usage.marked().bytes()),
        node.defaults(),
        node.baseMemory());
  }

  private static Optional<ResolvedFunction> function(SlotState state) {
    return switch (state) {
      case SlotState.WarmingUp warming -> Optional.of(warming.function());
      case SlotState.Serving serving -> Optional.of(serving.function());
      case SlotState.Cold _,
          SlotState.Prewarming _,
          SlotState.Prewarmed _,
          SlotState.Stopping _,
          SlotState.Closed _ ->
          Optional.empty();
    };
  }

  private static Instant latest(SlotView slot) {
    Instant loaded = Instant.ofEpochMilli(slot.times().loadEnd());
    Instant latest =
        slot.lastAccess().isAfter(slot.lastReset()) ? slot.lastAccess() : slot.lastReset();
    return latest.isAfter(loaded) ? latest : loaded;
  }

  private static String time(Instant instant) {
    return instant.equals(Instant.EPOCH) ? NEVER : DateTimeFormatter.ISO_INSTANT.format(instant);
  }

  /// JSON under the content type that existing clients see.
  private static HttpResponse text(Object document) {
    return HttpResponse.text(200, Json.PASCAL.writeText(document));
  }
}
