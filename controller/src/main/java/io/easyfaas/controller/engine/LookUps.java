package io.easyfaas.controller.engine;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.pool.WaitingRoom;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has the registry asked for functions that are not in the cache. A call that waits for it counts
/// as one that waits. Thread-safe.
final class LookUps implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LookUps.class);

  private final FunctionCache functions;
  private final WaitingRoom waitingRoom;
  private final Duration patience;
  private final Map<EngineCall, CompletableFuture<ResolvedFunction>> pending =
      new ConcurrentHashMap<>();
  private volatile boolean isClosed;

  /// @param patience how long a call waits for the registry
  LookUps(FunctionCache functions, WaitingRoom waitingRoom, Duration patience) {
    this.functions = functions;
    this.waitingRoom = waitingRoom;
    this.patience = patience;
  }

  /// Has the registry asked. The call hears `found` or `fail`, now or later, on any thread.
  ///
  /// @param since when its wait for the registry began
  void begin(EngineCall call, long since) {
    if (isClosed) {
      call.fail(CallErrors.stopping());
      return;
    }
    int weight = call.weight();
    String account = call.reference().account();
    String limit = waitingRoom.enter(account, weight);
    if (limit != null) {
      ApiException full =
          functions.isRegistryGone() ? RegistryClient.noAnswer(limit) : CallErrors.noRoom(limit);
      // Those who ask for what nobody knows must not keep others from what they called before.
      functions
          .last(call.reference(), full)
          .ifPresentOrElse(known -> call.found(known, false), () -> call.fail(full));
      return;
    }
    CompletableFuture<ResolvedFunction> asked;
    try {
      asked = functions.load(call.reference(), call.label(), since + patience.toNanos());
      pending.put(call, asked);
      CompletableFuture<ResolvedFunction> _ =
          asked.whenComplete((found, failure) -> answered(call, weight, found, failure));
    } catch (RuntimeException | Error e) {
      answered(call, weight, null, e);
      LOG.error("request={}: look-up of {} failed", call.label(), call.reference().name(), e);
      return;
    }
    if (isClosed) {
      stop(asked);
    }
  }

  /// The call's wait is over. Whatever happens it is told.
  private void answered(
      EngineCall call, int weight, @Nullable ResolvedFunction found, @Nullable Throwable failure) {
    pending.remove(call);
    try {
      waitingRoom.leave(call.reference().account(), weight);
    } catch (RuntimeException | Error e) {
      LOG.error("request={}: its place is not given back", call.label(), e);
    }
    if (found != null) {
      call.found(found, false);
    } else {
      call.notFound(ApiException.of(requireNonNull(failure)));
    }
  }

  private static void stop(CompletableFuture<ResolvedFunction> asked) {
    asked.completeExceptionally(CallErrors.stopping());
  }

  /// Nobody waits any more. Safe to call twice.
  @Override
  public void close() {
    isClosed = true;
    pending.values().forEach(LookUps::stop);
  }
}
