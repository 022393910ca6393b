package io.easyfaas.controller.engine;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.pool.WaitingRoom;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the registry for functions that are not in the cache, on a virtual thread for each call,
/// which goes on with it. A call that waits for the registry counts as one that waits. Thread-safe.
final class LookUps implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LookUps.class);

  private final FunctionCache functions;
  private final WaitingRoom waitingRoom;
  private final Duration patience;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("invoke-", 0).factory());

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
    try {
      threads.execute(() -> ask(call, weight, since + patience.toNanos()));
    } catch (RejectedExecutionException _) {
      waitingRoom.leave(account, weight);
      call.fail(CallErrors.stopping());
    }
  }

  private void ask(EngineCall call, int weight, long deadline) {
    ResolvedFunction found;
    try {
      try {
        found = functions.load(call.reference(), call.label(), deadline);
      } finally {
        waitingRoom.leave(call.reference().account(), weight);
      }
    } catch (ApiException e) {
      call.fail(e);
      return;
    } catch (RuntimeException | Error e) {
      LOG.error("request={}: look-up of {} failed", call.label(), call.reference().name(), e);
      call.fail(ApiException.of(e));
      return;
    }
    call.found(found, false);
  }

  /// Stops look-ups under way. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
