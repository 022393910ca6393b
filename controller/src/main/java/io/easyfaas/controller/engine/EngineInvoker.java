package io.easyfaas.controller.engine;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.Patience;
import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.userlog.UserLog;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;

/// Calls the functions of this Pod: what all calls share. Thread-safe.
public final class EngineInvoker implements Invoker, AutoCloseable {
  /// How calls are treated.
  ///
  /// @param checksCaller whether the caller's account must be the function's owner
  /// @param showsAuthorization whether the registry sees the caller's `Authorization`
  /// @param maxLookUp how long a call waits for the registry
  public record Rules(boolean checksCaller, boolean showsAuthorization, Duration maxLookUp) {}

  final Rules rules;
  final FunctionCache functions;
  final SlotPool pool;
  final UserLog userLog;
  final InvokeMetrics metrics;
  final LongSupplier nanoTime;
  final InstantSource clock;
  final ByteBudget budget;
  final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("invoke-", 0).factory());
  private final List<String> slotNames;
  private final Patience patience;

  /// Puts the parts together.
  ///
  /// @param loops time the callers' patience, and account for what calls keep in memory
  /// @param nanoTime usually {@link System#nanoTime()}
  public EngineInvoker(
      Rules rules,
      FunctionCache functions,
      SlotPool pool,
      UserLog userLog,
      InvokeMetrics metrics,
      EventLoops loops,
      LongSupplier nanoTime,
      InstantSource clock) {
    this.rules = rules;
    this.functions = functions;
    this.pool = pool;
    this.userLog = userLog;
    this.metrics = metrics;
    this.nanoTime = nanoTime;
    this.clock = clock;
    this.budget = loops.budget();
    this.slotNames = pool.slots().stream().map(slot -> slot.id().value()).toList();
    this.patience = new Patience(this::begin, loops.group());
  }

  @Override
  public Call invoke(CallRequest request, CallSink sink) {
    return request.terms().isImpatient() ? patience.invoke(request, sink) : begin(request, sink);
  }

  private Call begin(CallRequest request, CallSink sink) {
    EngineCall call = new EngineCall(this, request, sink);
    call.begin(request.headers());
    return call;
  }

  /// The container's name.
  String slotName(int index) {
    return slotNames.get(index);
  }

  /// Stops look-ups under way. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
