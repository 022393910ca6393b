package io.easyfaas.controller.pool;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// What scheduling costs a warm call: getting a permit and giving it back, on the real pool with
/// runners that do nothing. Every function has one warm slot; half of the slots are free.
///
/// Calls go to the functions in an order that is random and the same every time.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PoolBench {
  private static final int SLOT_MEBIBYTES = 128;
  private static final int ORDER_LENGTH = 4096; // A power of two.

  /// Slots; half as many functions are warm.
  @Param({"10", "1000"})
  public int slots;

  private final List<ResolvedFunction> order = new ArrayList<>();
  private final Waiter waiter = new NobodyWaits();
  private PoolHarness harness = new PoolHarness(1, SLOT_MEBIBYTES);
  private int next;

  /// Warms the functions up.
  @Setup
  public void warmUp() {
    harness = new PoolHarness(slots, slots * SLOT_MEBIBYTES);
    List<ResolvedFunction> functions = new ArrayList<>();
    for (int i = 0; i < slots / 2; i++) {
      ResolvedFunction function = PoolHarness.function("f" + i, Traits.of("echo").concurrency(100));
      PoolHarness.Call call = harness.call(function);
      var _ = harness.connect();
      harness.release(call);
      functions.add(function);
    }
    Random random = new Random(1);
    while (order.size() < ORDER_LENGTH) {
      order.addAll(functions);
    }
    Collections.shuffle(order, random);
  }

  /// One call's scheduling.
  @Benchmark
  public void acquireAndRelease() {
    ResolvedFunction function = order.get(next++ & (ORDER_LENGTH - 1));
    if (!(harness.pool.acquire(function, waiter) instanceof Lease lease)) {
      throw new IllegalStateException(function.key() + " is not warm");
    }
    harness.pool.release(lease);
  }

  private static final class NobodyWaits implements Waiter {
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
      throw new IllegalStateException("a warm call waited");
    }

    @Override
    public void refused(Refusal refusal) {
      throw new IllegalStateException(refusal.toString());
    }
  }
}
