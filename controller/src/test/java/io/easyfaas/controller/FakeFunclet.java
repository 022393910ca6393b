package io.easyfaas.controller;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.common.wire.WarmupResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A funclet whose sandboxes are threads of the test.
public final class FakeFunclet implements FuncletApi, AutoCloseable {
  /// What a started runner does.
  @FunctionalInterface
  public interface Script {
    /// Runs in a thread of its own.
    void run(FakeRunner runner) throws Exception;
  }

  private static final long MEBIBYTE = 1L << 20;

  private final int slots;
  private final long allocatable;
  private final Map<ContainerId, FakeRunner> runners = new ConcurrentHashMap<>();
  private final Map<ContainerId, Integer> generations = new ConcurrentHashMap<>();
  private final List<ResetRequest> resets = new CopyOnWriteArrayList<>();
  private final List<WarmupRequest> warmups = new CopyOnWriteArrayList<>();
  private final List<PrewarmRequest> prewarms = new CopyOnWriteArrayList<>();
  private final Set<ContainerId> frozen = ConcurrentHashMap.newKeySet();
  private final AtomicInteger failingPrewarms = new AtomicInteger();
  private final AtomicInteger failingFreezes = new AtomicInteger();
  private final AtomicInteger failingThaws = new AtomicInteger();
  private final BlockingQueue<FakeRunner.Call> held = new LinkedBlockingQueue<>();
  private final AtomicInteger failingWarmups = new AtomicInteger();
  private final AtomicInteger failingResets = new AtomicInteger();
  private final Semaphore warmupGate = new Semaphore(Integer.MAX_VALUE);
  private final Semaphore freezeGate = new Semaphore(Integer.MAX_VALUE);
  private final AtomicInteger freezing = new AtomicInteger();
  private volatile Script script =
      runner -> {
        runner.greetAndLoad();
        runner.serve();
      };
  private volatile Function<WarmupRequest, Optional<ApiException>> refusal = _ -> Optional.empty();
  private volatile @Nullable RunnerExit exit;
  private volatile @Nullable Error broken;
  private volatile boolean gone;
  private volatile boolean restarted;
  private volatile @Nullable RuntimeConfiguration probe;
  private volatile boolean dirty;
  private volatile boolean connects = true;

  /// A machine with so many slots and so much memory.
  public FakeFunclet(int slots, int allocatableMebibytes) {
    this.slots = slots;
    this.allocatable = allocatableMebibytes * MEBIBYTE;
  }

  /// What runners do from now on.
  public void script(Script next) {
    script = next;
  }

  /// How the next runners turn out to have ended.
  public void exit(RunnerExit how) {
    exit = how;
  }

  /// Has the next warm-ups fail.
  public void failWarmups(int count) {
    failingWarmups.set(count);
  }

  /// Has warm-ups end with what this says, if anything.
  public void refuseWarmups(Function<WarmupRequest, Optional<ApiException>> how) {
    refusal = how;
  }

  /// Has warm-ups and resets end with an error, as from a defect of the engine; null ends that.
  public void breakWith(@Nullable Error error) {
    broken = error;
  }

  /// Has it, and all that runs in its sandboxes, gone, or there again.
  public void gone(boolean isGone) throws IOException {
    gone = isGone;
    if (isGone) {
      close();
    }
  }

  /// Has it, and all that runs in its sandboxes, ended, and a new one in its place at once.
  public void restart() throws IOException {
    restarted = true;
    close();
  }

  @Override
  public boolean isGone() {
    return gone;
  }

  /// Offers a program to try sandboxes with.
  public void offerProbe() {
    probe = new RuntimeConfiguration("probe", "/probe", "/opt", List.of(), List.of());
  }

  /// Has runners never connect.
  public void neverConnect() {
    connects = false;
  }

  /// Has the next resets fail.
  public void failResets(int count) {
    failingResets.set(count);
  }

  /// Has warm-ups wait for {@link #letWarmups}.
  public void holdWarmups() {
    warmupGate.drainPermits();
  }

  /// Lets so many warm-ups through.
  public void letWarmups(int count) {
    warmupGate.release(count);
  }

  /// Has freezes wait for {@link #letFreezes}.
  public void holdFreezes() {
    freezeGate.drainPermits();
  }

  /// Lets so many freezes through.
  public void letFreezes(int count) {
    freezeGate.release(count);
  }

  /// Whether a runner has a call that it has not answered.
  public boolean isHolding() {
    return !held.isEmpty();
  }

  /// How many freezes are under way.
  public int freezing() {
    return freezing.get();
  }

  /// Has the next prewarms fail.
  public void failPrewarms(int count) {
    failingPrewarms.set(count);
  }

  /// Has the next thaws fail.
  public void failThaws(int count) {
    failingThaws.set(count);
  }

  /// Has the next freezes fail.
  public void failFreezes(int count) {
    failingFreezes.set(count);
  }

  /// Every prewarm so far.
  public List<PrewarmRequest> prewarms() {
    return prewarms;
  }

  /// The containers that are paused.
  public Set<ContainerId> frozen() {
    return frozen;
  }

  /// Has containers be found warm.
  public void startDirty() {
    dirty = true;
  }

  /// The runner in a slot.
  public FakeRunner runner(int slot) {
    FakeRunner runner = runners.get(ids().get(slot));
    if (runner == null) {
      throw new AssertionError("no runner in slot " + slot);
    }
    return runner;
  }

  /// The next call that a `hold` handler keeps.
  public FakeRunner.Call awaitHeld() throws InterruptedException {
    FakeRunner.Call call = held.poll(10, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("no call in 10s");
    }
    return call;
  }

  /// Whether a `hold` handler keeps a call that nobody took.
  public boolean holdsNothing() {
    return held.isEmpty();
  }

  /// Every reset so far.
  public List<ResetRequest> resets() {
    return resets;
  }

  /// Every warm-up so far.
  public List<WarmupRequest> warmups() {
    return warmups;
  }

  @Override
  public FuncletNode node() {
    Resource all = new Resource(4000, allocatable);
    return new FuncletNode(
        new FuncletNode.FuncletResource(
            128 * MEBIBYTE,
            new Resource(1000, 128 * MEBIBYTE),
            all,
            Resource.ZERO,
            all,
            Resource.ZERO),
        probe);
  }

  @Override
  public List<ContainerInfo> list() {
    return ids().stream().map(this::info).toList();
  }

  @Override
  public ContainerInfo container(ContainerId id) {
    return info(id);
  }

  @Override
  public WarmupResponse prewarm(PrewarmRequest request) {
    prewarms.add(request);
    if (failingPrewarms.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new ApiException(ErrorCode.SERVICE, "", List.of("no such runtime"));
    }
    if (!request.runtimeConfiguration().equals(probe)) {
      startRunner(request.containerID(), request.channel());
    }
    return new WarmupResponse(info(request.containerID()));
  }

  @Override
  public void freeze(FreezeRequest request) {
    freezing.incrementAndGet();
    freezeGate.acquireUninterruptibly();
    freezing.decrementAndGet();
    if (failingFreezes.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new ApiException(ErrorCode.SERVICE, "", List.of("it is not frozen within 2s"));
    }
    frozen.add(request.containerID());
  }

  @Override
  public void thaw(FreezeRequest request) {
    if (failingThaws.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new ApiException(ErrorCode.SERVICE, "", List.of("freezer.state: EIO"));
    }
    frozen.remove(request.containerID());
  }

  @Override
  public WarmupResponse warmup(WarmupRequest request) {
    warmups.add(request);
    throwIfBroken();
    warmupGate.acquireUninterruptibly();
    Optional<ApiException> refused = refusal.apply(request);
    if (refused.isPresent()) {
      throw refused.get();
    }
    if (failingWarmups.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new ApiException(ErrorCode.SERVICE, "", List.of("code: checksum differs"));
    }
    ContainerId id = request.containerID();
    if (connects && !isPrewarmed(id)) {
      startRunner(id, request.channel());
    }
    return new WarmupResponse(info(id));
  }

  private void throwIfBroken() {
    Error error = broken;
    if (error != null) {
      throw error;
    }
    if (gone) {
      throw new ApiException(ErrorCode.UNAVAILABLE, "", List.of("funclet: no answer"));
    }
  }

  private boolean isPrewarmed(ContainerId id) {
    return prewarms.stream().anyMatch(request -> request.containerID().equals(id))
        && runners.containsKey(id);
  }

  private void startRunner(ContainerId id, @Nullable ChannelAddress channel) {
    Script current = script;
    ChannelAddress address = Objects.requireNonNull(channel, "channel");
    Thread.ofVirtual()
        .start(() -> {
          try (FakeRunner runner = new FakeRunner(address, held)) {
            runners.put(id, runner);
            current.run(runner);
          } catch (Exception _) {
            // The controller closed the connection, or the test did.
          }
        });
  }

  @Override
  public ResetResponse cooldown(ResetRequest request) {
    return reset(request);
  }

  @Override
  public ResetResponse reborn(ResetRequest request) {
    return reset(request);
  }

  @Override
  public void close() throws IOException {
    for (FakeRunner runner : runners.values()) {
      runner.close();
    }
  }

  private ResetResponse reset(ResetRequest request) {
    resets.add(request);
    throwIfBroken();
    if (failingResets.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new ApiException(ErrorCode.SERVICE, "", List.of("device is busy"));
    }
    generations.merge(request.containerID(), 1, Integer::sum);
    frozen.remove(request.containerID());
    runners.remove(request.containerID());
    return new ResetResponse(info(request.containerID()), exit, restarted);
  }

  private List<ContainerId> ids() {
    return IntStream.range(0, slots).mapToObj(index -> ContainerId.of("pod", index)).toList();
  }

  private ContainerInfo info(ContainerId id) {
    return new ContainerInfo(
        id.value(),
        id,
        1,
        1 + generations.getOrDefault(id, 0),
        dirty && !generations.containsKey(id) ? "warm" : "cold",
        "",
        false,
        null,
        null);
  }
}
