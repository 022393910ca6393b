package io.easyfaas.controller.registry;

import io.easyfaas.common.invoke.FunctionReference;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Questions to the registry. Thread-safe.
///
/// Each runs on a virtual thread of its own, so that who waits for it can leave before it ends. At
/// most {@value #MAX_AT_ONCE} are asked at once, each over a connection of its own; the others wait
/// for their turn, no longer than `timeout`.
final class Flights {
  static final int MAX_AT_ONCE = 64;

  /// One question.
  static final class Flight {
    private final CompletableFuture<ResolvedFunction> answer = new CompletableFuture<>();
    private volatile boolean hasBegun;

    /// @param hasTurn whether it is asked at once
    private Flight(boolean hasTurn) {
      hasBegun = hasTurn;
    }

    /// Its answer.
    CompletableFuture<ResolvedFunction> answer() {
      return answer;
    }

    /// Whether the registry has been asked, or is being asked now.
    boolean hasBegun() {
      return hasBegun;
    }
  }

  private final Duration timeout;
  private final Semaphore turns = new Semaphore(MAX_AT_ONCE);
  private final ThreadFactory threads = Thread.ofVirtual().name("registry-", 0).factory();
  private final ConcurrentHashMap<FunctionReference, Flight> shared = new ConcurrentHashMap<>();

  /// @param timeout the longest wait for a turn
  Flights(Duration timeout) {
    this.timeout = timeout;
  }

  /// Asks, or waits for who is asking the same already.
  Flight join(FunctionReference reference, Supplier<ResolvedFunction> question) {
    Flight running = shared.get(reference);
    if (running != null) {
      return running;
    }
    Flight mine = new Flight(turns.tryAcquire());
    running = shared.putIfAbsent(reference, mine);
    if (running == null) {
      start(mine, question, () -> shared.remove(reference, mine));
      return mine;
    }
    if (mine.hasBegun) {
      turns.release();
    }
    return running;
  }

  /// Asks, whoever else does.
  Flight alone(Supplier<ResolvedFunction> question) {
    Flight mine = new Flight(turns.tryAcquire());
    start(mine, question, () -> {});
    return mine;
  }

  /// Nobody joins a question any more that was asked before now.
  void forget() {
    shared.clear();
  }

  private void start(Flight flight, Supplier<ResolvedFunction> question, Runnable landed) {
    threads
        .newThread(() -> {
          try {
            ResolvedFunction answer = inTurn(flight, question);
            landed.run(); // First: a flight that has landed is not to be joined.
            flight.answer.complete(answer);
          } catch (Throwable e) { // Top of a thread; whoever waits for the flight is told.
            landed.run();
            flight.answer.completeExceptionally(e);
          }
        })
        .start();
  }

  private ResolvedFunction inTurn(Flight flight, Supplier<ResolvedFunction> question)
      throws InterruptedException {
    if (!flight.hasBegun && !turns.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      throw RegistryClient.noAnswer(
          MAX_AT_ONCE + " questions were with it for " + timeout.toMillis() + "ms");
    }
    flight.hasBegun = true;
    try {
      return question.get();
    } finally {
      turns.release();
    }
  }
}
