package io.easyfaas.controller.pool;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// What the end of one call costs a pool that is overloaded: every slot is busy and a thousand
/// calls wait. The permit goes to who waits longest, and another call comes, of each function in
/// turn; with more functions than slots, a slot is reset and another function put into it, by a
/// funclet that takes no time.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OverloadBench {
  private static final int SLOT_MEBIBYTES = 128;
  private static final int WAITING = 1000;

  /// Slots, all of them busy.
  @Param({"10"})
  public int slots;

  /// Functions that the waiting calls belong to.
  @Param({"1", "10", "1000"})
  public int functions;

  private final ArrayDeque<Lease> running = new ArrayDeque<>();
  private final List<Caller> callers = new ArrayList<>();
  private int granted;
  private int next;
  private PoolHarness harness = new PoolHarness(1, SLOT_MEBIBYTES);

  /// Fills the slots and the queue.
  @Setup
  public void overload() {
    harness =
        new PoolHarness(slots, slots * SLOT_MEBIBYTES, WAITING + slots, 1 << 20, Duration.ZERO, 0);
    for (int i = 0; i < functions; i++) {
      callers.add(new Caller(PoolHarness.function("f" + i, Traits.of("echo"))));
    }
    for (int i = 0; i < WAITING + slots; i++) {
      call();
    }
    work();
    granted = 0;
  }

  /// One call ends, and another one comes.
  @Benchmark
  public void endOfACall() {
    harness.now += 1000;
    harness.pool.release(running.removeFirst());
    work();
    for (; granted > 0; granted--) {
      call();
    }
    work();
  }

  private void call() {
    callers.get(next++ % functions).call();
  }

  private void work() {
    while (!harness.resets.isEmpty() || !harness.warmUps.isEmpty()) {
      if (harness.resets.isEmpty()) {
        var _ = harness.connect();
      } else {
        harness.finishReset();
      }
    }
  }

  private final class Caller implements Waiter {
    private final ResolvedFunction function;

    Caller(ResolvedFunction function) {
      this.function = function;
    }

    void call() {
      if (harness.pool.acquire(function, this) instanceof Lease lease) {
        granted(lease);
      }
    }

    @Override
    public String label() {
      return "bench";
    }

    @Override
    public int weight() {
      return 0;
    }

    @Override
    public void granted(Lease lease) {
      running.add(lease);
      granted++;
    }

    @Override
    public void refused(Refusal refusal) {
      throw new IllegalStateException(refusal.toString());
    }
  }
}
