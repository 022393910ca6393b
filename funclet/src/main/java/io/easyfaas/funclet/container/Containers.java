package io.easyfaas.funclet.container;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.common.wire.WarmupResponse;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherEvent;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Every container of the node, in slot order. Thread-safe.
public final class Containers {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private final Map<String, Container> containers;
  private final SourceDirectories sources;

  /// What all containers share.
  ///
  /// @param proc where the kernel describes processes
  record Shared(MemoryLedger ledger, CodeCache codes, Path proc) {}

  private Containers(Map<String, Container> containers, SourceDirectories sources) {
    this.containers = containers;
    this.sources = sources;
  }

  /// Creates the containers; none has a sandbox yet.
  ///
  /// @param launcher the one that runs now: it may be restarted in between
  public static Containers of(
      List<SandboxLayout> layouts,
      CgroupLimits baseLimits,
      Cgroups cgroups,
      Supplier<Launcher> launcher,
      MemoryLedger ledger,
      CodeCache codes) {
    return of(layouts, baseLimits, cgroups, launcher, new Shared(ledger, codes, Path.of("/proc")));
  }

  static Containers of(
      List<SandboxLayout> layouts,
      CgroupLimits baseLimits,
      Cgroups cgroups,
      Supplier<Launcher> launcher,
      Shared shared) {
    Map<String, Container> containers = new LinkedHashMap<>();
    for (SandboxLayout layout : layouts) {
      Sandbox sandbox = new Sandbox(layout, baseLimits, cgroups, launcher);
      containers.put(layout.id().value(), new Container(sandbox, shared));
    }
    return new Containers(containers, shared.codes().sources());
  }

  /// Makes all first sandboxes side by side. At most 30 s. A container whose sandbox cannot be made
  /// is broken.
  public void init() {
    forEach("init", Container::init);
  }

  /// Makes what a dead launcher took along anew. At most a minute.
  public void repair(String reason) {
    forEach("repair", container -> container.repair(reason));
  }

  /// Ends every container. Safe to call twice.
  public void close() {
    Deadline deadline = Deadline.in(CLOSE_TIMEOUT);
    forEach("close", container -> container.close(deadline));
  }

  /// Starts a runner in a container, see {@link io.easyfaas.common.wire.FuncletApi#prewarm}.
  public WarmupResponse prewarm(PrewarmRequest request) {
    Container container = find(request.containerID());
    container.prewarm(RunnerLaunch.of(request.runtimeConfiguration(), sources), request.channel());
    return new WarmupResponse(container.info());
  }

  /// Pauses a container, see {@link io.easyfaas.common.wire.FuncletApi#freeze}.
  public void freeze(ContainerId id) {
    find(id).freeze();
  }

  /// Continues a container, see {@link io.easyfaas.common.wire.FuncletApi#thaw}.
  public void thaw(ContainerId id) {
    find(id).thaw();
  }

  /// Puts a function into a container, see {@link io.easyfaas.common.wire.FuncletApi#warmup}.
  public WarmupResponse warmup(WarmupRequest request) {
    Container container = find(request.containerID());
    container.warmup(FunctionLaunch.of(request, sources), String.valueOf(request.requestID()));
    return new WarmupResponse(container.info());
  }

  /// Makes a container's sandbox anew, see {@link io.easyfaas.common.wire.FuncletApi#cooldown}.
  ///
  /// @param reason why, for the log
  public ResetResponse reset(ContainerId id, String reason) {
    return find(id).reset(reason);
  }

  /// Every container, in slot order.
  public List<ContainerInfo> list() {
    return containers.values().stream().map(Container::info).toList();
  }

  /// One container with live statistics.
  public ContainerInfo container(ContainerId id) {
    return find(id).infoWithStats();
  }

  /// Takes what the launcher tells. Does not block. A cold container whose sandbox was killed is
  /// repaired in the background.
  public void onEvent(LauncherEvent event) {
    switch (event) {
      case LauncherEvent.Exited exited ->
          Optional.ofNullable(containers.get(exited.slot()))
              .ifPresent(container -> container.runnerExited(exited));
      case LauncherEvent.Gone gone ->
          Optional.ofNullable(containers.get(gone.slot())).ifPresent(Containers::gone);
      case LauncherEvent.LauncherDied died ->
          containers
              .values()
              .forEach(container -> {
                boolean _ = container.sandboxGone(died.reason()); // Repaired with the launcher.
              });
    }
  }

  private static void gone(Container container) {
    String reason = "the sandbox was killed from outside";
    if (container.sandboxGone(reason)) {
      Thread.ofVirtual().name("repair-" + container.id()).start(() -> container.repair(reason));
    }
  }

  private Container find(@Nullable ContainerId id) {
    if (id == null) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "ContainerID is missing");
    }
    Container container = containers.get(id.value());
    if (container == null) {
      throw new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "container " + id + " not found");
    }
    return container;
  }

  private void forEach(String work, Consumer<Container> action) {
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(work + "-", 0).factory())) {
      containers.values().forEach(container -> threads.execute(() -> action.accept(container)));
    }
  }
}
