package io.easyfaas.controller.registry;

import io.easyfaas.common.invoke.FunctionReference;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Questions that are with the registry. Thread-safe.
///
/// Each runs on a virtual thread of its own, so that who waits for it can leave before it ends. At
/// most {@value #MAX_AT_ONCE} are asked at once, each over a connection of its own; the others wait
/// for their turn, no longer than `timeout`.
final class Flights {
  static final int MAX_AT_ONCE = 64;

  private final Duration timeout;
  private final Semaphore turns = new Semaphore(MAX_AT_ONCE);
  private final ThreadFactory threads = Thread.ofVirtual().name("registry-", 0).factory();
  private final ConcurrentHashMap<FunctionReference, CompletableFuture<ResolvedFunction>> shared =
      new ConcurrentHashMap<>();

  /// @param timeout the longest wait for a turn
  Flights(Duration timeout) {
    this.timeout = timeout;
  }

  /// Asks, or waits for who is asking the same already.
  CompletableFuture<ResolvedFunction> join(
      FunctionReference reference, Supplier<ResolvedFunction> question) {
    CompletableFuture<ResolvedFunction> mine = new CompletableFuture<>();
    CompletableFuture<ResolvedFunction> running = shared.putIfAbsent(reference, mine);
    if (running != null) {
      return running;
    }
    start(mine, question, () -> shared.remove(reference, mine));
    return mine;
  }

  /// Asks, whoever else does.
  CompletableFuture<ResolvedFunction> alone(Supplier<ResolvedFunction> question) {
    CompletableFuture<ResolvedFunction> mine = new CompletableFuture<>();
    start(mine, question, () -> {});
    return mine;
  }

  /// Nobody joins a question any more that was asked before now.
  void forget() {
    shared.clear();
  }

  private void start(
      CompletableFuture<ResolvedFunction> flight,
      Supplier<ResolvedFunction> question,
      Runnable landed) {
    threads
        .newThread(() -> {
          try {
            ResolvedFunction answer = inTurn(question);
            landed.run(); // First: a flight that has landed is not to be joined.
            flight.complete(answer);
          } catch (Throwable e) { // Top of a thread; whoever waits for the flight is told.
            landed.run();
            flight.completeExceptionally(e);
          }
        })
        .start();
  }

  private ResolvedFunction inTurn(Supplier<ResolvedFunction> question) throws InterruptedException {
    if (!turns.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      throw RegistryClient.noAnswer(
          MAX_AT_ONCE + " questions were with it for " + timeout.toMillis() + "ms");
    }
    try {
      return question.get();
    } finally {
      turns.release();
    }
  }
}
