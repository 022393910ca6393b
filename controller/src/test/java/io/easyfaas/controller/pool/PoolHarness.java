package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.Runner;
import io.easyfaas.controller.runtime.RunnerCall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A pool whose slow work is done when the test says so, with a clock of its own.
final class PoolHarness implements SlotWork {
  /// Work that was asked for and is not done.
  record WarmUp(int slot, ResolvedFunction function, String requestId) {}

  /// Work that was asked for and is not done.
  record Reset(int slot, Reason reason) {}

  /// A call; remembers what it was told.
  static final class Call implements Waiter {
    final ResolvedFunction function;
    final String name;
    @Nullable Lease lease;
    @Nullable Refusal refusal;
    int told;
    boolean collected;

    Call(ResolvedFunction function, String name) {
      this.function = function;
      this.name = name;
    }

    @Override
    public String label() {
      return name;
    }

    @Override
    public int weight() {
      return 10;
    }

    @Override
    public void granted(Lease given) {
      told++;
      lease = given;
    }

    @Override
    public void refused(Refusal why) {
      told++;
      refusal = why;
    }

    Lease leaseOrFail() {
      Lease given = lease;
      if (given == null) {
        throw new AssertionError(name + " has no lease; refused: " + refusal);
      }
      return given;
    }
  }

  /// Work that was asked for and is not done.
  record Prewarm(int slot, RuntimeConfiguration runtime) {}

  static final Runner RUNNER =
      new Runner() {
        @Override
        public void invoke(RunnerCall call) {}

        @Override
        public void cancel(RunnerCall call) {}

        @Override
        public void taken(RunnerCall call, int bytes) {}

        @Override
        public void check() {}

        @Override
        public int inFlight() {
          return 0;
        }
      };

  final List<WarmUp> warmUps = new ArrayList<>();
  final List<Reset> resets = new ArrayList<>();
  final List<Prewarm> prewarms = new ArrayList<>();
  final List<Integer> probes = new ArrayList<>();
  final List<Integer> freezes = new ArrayList<>();
  final List<Integer> thaws = new ArrayList<>();
  final SlotPool pool;
  long now = 1_000_000_000L;
  boolean noThread; // Then no work can begin.
  boolean nobodyWorks;
  private int calls;

  PoolHarness(int slots, int allocatableMebibytes) {
    this(slots, allocatableMebibytes, 1000, 1 << 20);
  }

  PoolHarness(int slots, int allocatableMebibytes, int maxQueue, long maxQueueBytes) {
    this(slots, allocatableMebibytes, maxQueue, maxQueueBytes, Duration.ZERO, 0);
  }

  PoolHarness(
      int slots,
      int allocatableMebibytes,
      int maxQueue,
      long maxQueueBytes,
      Duration freezeAfter,
      int maxPrewarmed) {
    this(
        slots,
        allocatableMebibytes,
        new PoolLimits(
            Duration.ofSeconds(60),
            maxQueue,
            maxQueueBytes,
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            freezeAfter,
            maxPrewarmed),
        Optional.empty());
  }

  private PoolHarness(
      int slots,
      int allocatableMebibytes,
      PoolLimits limits,
      Optional<RuntimeConfiguration> probe) {
    Map<ContainerId, Boolean> cold = new LinkedHashMap<>();
    for (int i = 0; i < slots; i++) {
      cold.put(ContainerId.of("pod", i), true);
    }
    pool =
        new SlotPool(
            cold,
            new PoolNode(
                ByteSize.ofMebibytes(allocatableMebibytes), ByteSize.ofMebibytes(128), probe),
            limits,
            this,
            new PoolClock(() -> now, InstantSource.system()));
  }

  /// Two slots, at most three calls that wait, and a program to try sandboxes with.
  static PoolHarness withProbe() {
    return new PoolHarness(
        2,
        256,
        new PoolLimits(
            Duration.ofSeconds(60),
            3,
            1 << 20,
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ZERO,
            0),
        Optional.of(new RuntimeConfiguration("probe", "/p", "/opt", List.of(), List.of())));
  }

  /// Freezes after 5 s and keeps no standby.
  static PoolHarness withQueue(int slots, int allocatableMebibytes, int maxQueue) {
    return new PoolHarness(
        slots, allocatableMebibytes, maxQueue, 1 << 20, Duration.ofSeconds(5), 0);
  }

  /// Freezes after 5 s and keeps a standby.
  static PoolHarness withStandby(int slots, int allocatableMebibytes, int maxPrewarmed) {
    return new PoolHarness(
        slots, allocatableMebibytes, 50, 1 << 20, Duration.ofSeconds(5), maxPrewarmed);
  }

  static ResolvedFunction function(String name, Traits traits) {
    return function(name, traits, "nodejs20");
  }

  static ResolvedFunction function(String name, Traits traits, String runtime) {
    return ResolvedFunction.of(
        FakeRegistry.document(name, "brn:" + name, traits),
        new RuntimeConfiguration(runtime, "/bin/" + runtime, "/opt", List.of(), List.of()));
  }

  Call call(ResolvedFunction function) {
    Call call = new Call(function, "call-" + calls++);
    switch (pool.acquire(function, call)) {
      case Lease lease -> call.granted(lease);
      case Acquisition.Queued _ -> {}
      case Acquisition.Refused refused -> call.refused(refused.refusal());
    }
    return call;
  }

  /// Lets the oldest warm-up succeed.
  Lease connect() {
    return pool.connected(warmUps.removeFirst().slot(), RUNNER, WarmupTimes.NONE);
  }

  /// Lets the oldest prewarm succeed.
  Prewarm finishPrewarm() {
    Prewarm done = prewarms.removeFirst();
    pool.tell(done.slot(), new SlotEvent.Prewarmed(RUNNER));
    return done;
  }

  /// Lets the oldest thaw succeed.
  void finishThaw() {
    pool.tell(thaws.removeFirst(), new SlotEvent.Thawed());
  }

  /// Lets the oldest reset succeed.
  void finishReset() {
    pool.tell(resets.removeFirst().slot(), new SlotEvent.ResetDone());
  }

  void release(Call call) {
    pool.release(call.leaseOrFail());
  }

  void pass(Duration duration) {
    now += duration.toNanos();
    var _ = pool.sweep();
  }

  SlotState state(int slot) {
    return pool.slots().get(slot).state();
  }

  List<String> states() {
    return pool.slots().stream().map(slot -> slot.state().getClass().getSimpleName()).toList();
  }

  @Override
  public boolean isPossible() {
    return !nobodyWorks;
  }

  @Override
  public void warmUp(int slot, ResolvedFunction function, String requestId) {
    begin();
    warmUps.add(new WarmUp(slot, function, requestId));
  }

  @Override
  public void prewarm(int slot, RuntimeConfiguration runtime) {
    begin();
    prewarms.add(new Prewarm(slot, runtime));
  }

  @Override
  public void probe(int slot, RuntimeConfiguration program) {
    begin();
    probes.add(slot);
  }

  @Override
  public void freeze(int slot) {
    begin();
    freezes.add(slot);
  }

  @Override
  public void thaw(int slot) {
    begin();
    thaws.add(slot);
  }

  @Override
  public void reset(int slot, Reason reason) {
    begin();
    resets.add(new Reset(slot, reason));
  }

  private void begin() {
    if (noThread) {
      throw new OutOfMemoryError("test: no thread is left");
    }
  }
}
