package io.easyfaas.controller.registry;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.invoke.FunctionReference;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Questions to the registry. Thread-safe.
///
/// Each runs on a virtual thread of its own, which goes on with those who wait for it, in the order
/// they came; anyone can leave before it ends. At most {@value #MAX_AT_ONCE} are asked at once,
/// each over a connection of its own; the others wait for their turn, no longer than `timeout`.
final class Flights {
  static final int MAX_AT_ONCE = 64;

  /// One question.
  static final class Flight {
    private final CompletableFuture<ResolvedFunction> landing = new CompletableFuture<>();
    private volatile boolean hasBegun;

    @GuardedBy("this")
    private final Map<Long, CompletableFuture<ResolvedFunction>> waiting = new LinkedHashMap<>();

    @GuardedBy("this")
    private long arrivals;

    /// @param hasTurn whether it is asked at once
    private Flight(boolean hasTurn) {
      hasBegun = hasTurn;
    }

    /// Its answer, for one who waits: a future of its own. Whoever completes it leaves.
    synchronized CompletableFuture<ResolvedFunction> answer() {
      if (landing.isDone()) {
        return landing.copy();
      }
      CompletableFuture<ResolvedFunction> own = new CompletableFuture<>();
      long number = arrivals++;
      waiting.put(number, own);
      CompletableFuture<ResolvedFunction> _ = own.whenComplete((_, _) -> leave(number));
      return own;
    }

    private synchronized void leave(long number) {
      if (!landing.isDone()) { // From then on nobody changes it: those who wait are told.
        waiting.remove(number);
      }
    }

    /// Whether the registry has been asked, or is being asked now.
    boolean hasBegun() {
      return hasBegun;
    }

    private void landed(ResolvedFunction answer) {
      tell(landing -> landing.complete(answer));
    }

    private void failed(Throwable why) {
      tell(landing -> landing.completeExceptionally(why));
    }

    private void tell(Consumer<CompletableFuture<ResolvedFunction>> end) {
      Collection<CompletableFuture<ResolvedFunction>> told;
      synchronized (this) {
        end.accept(landing);
        told = waiting.values();
      }
      told.forEach(end);
    }
  }

  private final Duration timeout;
  private final Semaphore turns = new Semaphore(MAX_AT_ONCE);
  private final ThreadFactory threads;
  private final ConcurrentHashMap<FunctionReference, Flight> shared = new ConcurrentHashMap<>();

  /// @param timeout the longest wait for a turn
  Flights(Duration timeout) {
    this(timeout, Thread.ofVirtual().name("registry-", 0).factory());
  }

  Flights(Duration timeout, ThreadFactory threads) {
    this.timeout = timeout;
    this.threads = threads;
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

  /// @param landed run before anyone is told: a flight that has landed is not to be joined
  private void start(Flight flight, Supplier<ResolvedFunction> question, Runnable landed) {
    Runnable flies =
        () -> {
          ResolvedFunction answer;
          try {
            answer = inTurn(flight, question);
          } catch (Throwable e) { // Top of a thread; whoever waits for the flight is told.
            landed.run();
            flight.failed(e);
            return;
          }
          landed.run();
          flight.landed(answer);
        };
    try {
      threads.newThread(flies).start();
    } catch (RuntimeException | OutOfMemoryError e) { // No thread can be made.
      if (flight.hasBegun) {
        turns.release();
      }
      landed.run();
      flight.failed(e);
    }
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
