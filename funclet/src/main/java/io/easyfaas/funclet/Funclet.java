package io.easyfaas.funclet;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.common.wire.WarmupResponse;
import io.easyfaas.funclet.admin.AdminApi;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.cgroup.EngineCgroups;
import io.easyfaas.funclet.cgroup.NodeCapacity;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.container.Containers;
import io.easyfaas.funclet.container.MemoryLedger;
import io.easyfaas.funclet.launch.LauncherProcess;
import io.easyfaas.funclet.launch.Overlays;
import io.easyfaas.funclet.mount.Rootfs;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.easyfaas.funclet.mount.UidRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The node agent, running. Thread-safe.
///
/// Started in this order and closed in reverse: lock on the data directory, sweep of what a killed
/// engine left, control groups, launcher, containers, API. After {@link #close} nothing of it is
/// left on the machine but the code cache.
public final class Funclet implements FuncletApi, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Funclet.class);
  private static final int MAX_BODY_BYTES = 8 * 1024 * 1024;

  private final Deque<AutoCloseable> running;
  private final Containers containers;
  private final MemoryLedger ledger;
  private final FuncletNode.FuncletResource resources;
  private final RuntimeConfiguration probe;

  private Funclet(
      Deque<AutoCloseable> running,
      Containers containers,
      MemoryLedger ledger,
      FuncletNode.FuncletResource resources,
      RuntimeConfiguration probe) {
    this.running = running;
    this.containers = containers;
    this.ledger = ledger;
    this.resources = resources;
    this.probe = probe;
  }

  /// Starts everything. Blocks until every container has its sandbox or is known to be broken.
  ///
  /// @param loops serve the API; they stay the caller's to close, after funclet
  /// @throws ConfigException when this machine or its state does not allow what is configured;
  ///   nothing is left running
  public static Funclet start(FuncletConfig config, EventLoops loops) {
    Deque<AutoCloseable> running = new ArrayDeque<>();
    try {
      return start(config, loops, running);
    } catch (RuntimeException | Error e) {
      closeAll(running);
      throw e;
    }
  }

  private static Funclet start(
      FuncletConfig config, EventLoops loops, Deque<AutoCloseable> running) {
    EngineLock lock = EngineLock.ofData(config.dataDir());
    running.push(lock);
    running.push(EngineLock.ofRun(config.runDir()));
    String engineId = lock.engineId();
    Cgroups cgroups = EngineCgroups.of(engineId, config.cgroupRoot());
    new Leftovers(config.dataDir(), engineId).sweep(cgroups.engineGroups());
    CodeCache codes =
        new CodeCache(
            config.dataDir().resolve("code"),
            config.codeCache(),
            config.codePace(),
            config.sources());
    sweep(codes, config);
    FuncletNode.FuncletResource resources = resources(config, cgroups);
    Rootfs rootfs = Rootfs.load(config.dataDir());

    running.push(cgroups::removeAll);
    cgroups.prepare();
    List<SandboxLayout> layouts = layouts(config, rootfs, engineId);
    LauncherSupervisor launcher =
        new LauncherSupervisor(listener ->
            LauncherProcess.start(config.launcher(), config.launcherSocket(), listener));
    MemoryLedger ledger = new MemoryLedger(new ByteSize(resources.allocatable().memory()));
    Containers containers =
        Containers.of(layouts, limits(config), cgroups, launcher::launcher, ledger, codes);
    running.push(launcher);
    launcher.start(containers::onEvent, containers::repair);
    running.push(containers::close);
    containers.init();
    refuseIfAllBroken(containers.list());
    Thread.ofVirtual().name("overlays").start(() -> warnOfSharedFiles(config.launcher()));

    Funclet funclet = new Funclet(running, containers, ledger, resources, probe(config.launcher()));
    running.push(
        HttpServer.start(
            new HttpAddress.Unix(config.apiSocket()),
            loops,
            MAX_BODY_BYTES,
            new AdminApi(funclet, version())));
    return funclet;
  }

  @Override
  public FuncletNode node() {
    return new FuncletNode(
        new FuncletNode.FuncletResource(
            resources.baseMemory(),
            resources.defaults(),
            resources.capacity(),
            resources.reserved(),
            resources.allocatable(),
            new Resource(0, ledger.used().bytes())),
        probe);
  }

  @Override
  public List<ContainerInfo> list() {
    return containers.list();
  }

  @Override
  public ContainerInfo container(ContainerId id) {
    return containers.container(id);
  }

  @Override
  public WarmupResponse prewarm(PrewarmRequest request) {
    return containers.prewarm(request);
  }

  @Override
  public void freeze(FreezeRequest request) {
    containers.freeze(request.containerID());
  }

  @Override
  public void thaw(FreezeRequest request) {
    containers.thaw(request.containerID());
  }

  @Override
  public WarmupResponse warmup(WarmupRequest request) {
    return containers.warmup(request);
  }

  @Override
  public ResetResponse cooldown(ResetRequest request) {
    return containers.reset(request.containerID(), "cooldown: " + request.reason());
  }

  @Override
  public ResetResponse reborn(ResetRequest request) {
    return containers.reset(request.containerID(), "reborn: " + request.reason());
  }

  /// Ends everything, in reverse order. Safe to call twice. Blocks at most a minute and a half.
  @Override
  public void close() {
    closeAll(running);
  }

  private static void closeAll(Deque<AutoCloseable> running) {
    while (true) {
      AutoCloseable next;
      synchronized (running) {
        next = running.poll();
      }
      if (next == null) {
        return;
      }
      try {
        next.close();
      } catch (Throwable e) { // The top: whatever fails, the rest is closed.
        LOG.error("close", e);
      }
    }
  }

  private static void warnOfSharedFiles(Path launcher) {
    if (!Overlays.areThere(launcher)) {
      LOG.warn(
          "no overlay of /usr can be made here: functions see who uses its files (inotify), and can"
              + " lock them. Hint: run the engine on the host, or in a container that is not within"
              + " another");
    }
  }

  /// One broken container may be bad luck and is repaired; all of them are the machine's fault.
  private static void refuseIfAllBroken(List<ContainerInfo> containers) {
    if (containers.stream().allMatch(container -> container.state().equals("broken"))) {
      throw new ConfigException(
          "no sandbox can be made here: "
              + containers.getFirst().reason()
              + ". Hint: `easyfaas doctor` says what this machine lacks");
    }
  }

  private static void sweep(CodeCache codes, FuncletConfig config) {
    try {
      if (config.hasOwnApiSocket()) {
        DiskTree.delete(config.apiSocket());
      }
      codes.sweep(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")));
    } catch (IOException e) {
      throw new ConfigException("sweep of the last engine's files: " + e.getMessage());
    }
  }

  private static List<SandboxLayout> layouts(FuncletConfig config, Rootfs rootfs, String engineId) {
    return IntStream.range(0, config.containerNum())
        .mapToObj(slot -> {
          ContainerId id = ContainerId.of(config.podName(), slot);
          return new SandboxLayout(
              id, rootfs, UidRange.of(engineId, slot), config.runner().tmpSize());
        })
        .toList();
  }

  /// The launcher itself serves: it is static, so it runs in every root.
  private static RuntimeConfiguration probe(Path launcher) {
    Path program = launcher.toAbsolutePath();
    return new RuntimeConfiguration(
        "probe",
        "/var/runtime/" + program.getFileName(),
        String.valueOf(program.getParent()),
        List.of("--version"),
        List.of());
  }

  private static CgroupLimits limits(FuncletConfig config) {
    FuncletConfig.Runner runner = config.runner();
    return new CgroupLimits(
        runner.memory(), runner.cpuRequest(), runner.cpuLimit(), runner.pidsMax());
  }

  /// What there is to give, nothing used yet.
  ///
  /// @throws ConfigException when the slots do not fit
  private static FuncletNode.FuncletResource resources(FuncletConfig config, Cgroups cgroups) {
    NodeCapacity found;
    try {
      found =
          NodeCapacity.of(
              cgroups.memoryLimit(),
              cgroups.cpuLimit(),
              Files.readString(Path.of("/proc/meminfo")),
              Runtime.getRuntime().availableProcessors());
    } catch (IOException e) {
      throw new ConfigException("/proc/meminfo: " + e.getMessage());
    }
    return NodeResources.of(config, found, MemoryPlan.ofThisProcess());
  }

  private static Map<String, String> version() {
    String version = Funclet.class.getPackage().getImplementationVersion();
    return Map.of(
        "gitVersion",
        version == null ? "development" : version,
        "javaVersion",
        Runtime.version().toString(),
        "platform",
        "linux/" + System.getProperty("os.arch"));
  }
}
