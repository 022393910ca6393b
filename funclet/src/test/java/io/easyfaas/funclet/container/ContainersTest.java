package io.easyfaas.funclet.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.code.CodeFixture;
import io.easyfaas.funclet.code.CodePace;
import io.easyfaas.funclet.launch.LaunchReport;
import io.easyfaas.funclet.launch.LauncherEvent;
import io.easyfaas.funclet.mount.Rootfs;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.easyfaas.funclet.mount.SourceDirectories;
import io.easyfaas.funclet.mount.UidRange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The life of a container, with everything outside of Java replaced.
final class ContainersTest {
  private static final String WRONG_HASH = "A".repeat(43) + "=";
  private static final ContainerId C0 = ContainerId.of("pod", 0);
  private static final ChannelAddress CHANNEL =
      new ChannelAddress("/run/channels/0.sock", "5f".repeat(16), 0);
  private static final ByteSize BASE = ByteSize.ofMebibytes(128);

  @TempDir private Path directory;
  private final FakeLauncher launcher = new FakeLauncher();
  private final FakeCgroups cgroups = new FakeCgroups();
  private final MemoryLedger ledger = new MemoryLedger(ByteSize.ofMebibytes(512));
  private CodeFixture code;
  private Containers containers;

  @BeforeEach
  void make() throws IOException {
    code = CodeFixture.zip(directory, "index.js", "exports.handler");
    CodeCache codes =
        new CodeCache(
            directory.resolve("code"),
            new DiskUse(64 << 20, 100_000),
            new CodePace(Duration.ofSeconds(10), 1 << 20),
            new SourceDirectories(List.of(directory)));
    codes.sweep("boot");
    List<SandboxLayout> layouts =
        IntStream.range(0, 2)
            .mapToObj(slot -> {
              ContainerId id = ContainerId.of("pod", slot);
              return new SandboxLayout(
                  id,
                  new Rootfs(directory, List.of(), false, directory),
                  UidRange.of("00000000", slot),
                  ByteSize.ofMebibytes(64));
            })
            .toList();
    containers =
        Containers.of(
            layouts,
            new CgroupLimits(BASE, 0.2, 0, 64),
            cgroups,
            () -> launcher,
            new Containers.Shared(ledger, codes, processes()));
  }

  @Test
  void beforeTheStartEveryContainerIsBeingMade() {
    assertThat(info().currentEvent()).isEqualTo("event_init");
    assertThat(info().generation()).isZero();
    refused(
        this::warmup,
        ErrorCode.RESOURCE_CONFLICT,
        "current event event_init, trigger event event_warmup");
  }

  @Test
  void initOpensAndCreates() {
    containers.init();

    assertThat(containers.list()).extracting(ContainerInfo::state).containsExactly("cold", "cold");
    assertThat(info().generation()).isEqualTo(1);
    assertThat(info().hostPid()).isPositive();
    assertThat(commandsOf(C0)).extracting(List::getFirst).containsExactly("open", "create");
    assertThat(commandsOf(C0).getFirst())
        .containsExactly("open", C0.value(), "--cgroup", "/cg/" + C0);
  }

  @Test
  void warmupReservesLimitsStartsTheRunnerAndMountsTheCode() {
    containers.init();
    launcher.commands.clear();

    ContainerInfo warm = warmup();

    assertThat(warm.state()).isEqualTo("warm");
    assertThat(warm.currentEvent()).isEmpty();
    assertThat(launcher.verbs()).containsExactly("mount", "exec", "mount");
    assertThat(launcher.commands.getFirst()).isEqualTo(runtimeMount());
    assertThat(launcher.commands.get(1)).endsWith("--", "/usr/bin/node", "/var/runtime/r.js");
    assertThat(launcher.commands.getLast()).isEqualTo(codeMount());
    assertThat(memoryLimit()).isEqualTo(ByteSize.ofMebibytes(256));
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));
    assertThat(warm.resource()).isEqualTo(new Resource(200, 256 << 20));
  }

  @Test
  void aRunnerThatIsCodeIsStartedWhenTheCodeIsThere() {
    containers.init();
    launcher.commands.clear();

    containers.warmup(
        with(
            request(C0, 256, code.sha256()),
            new RuntimeConfiguration(
                "custom", "/var/task/bootstrap", directory.toString(), List.of(), List.of())));

    assertThat(launcher.commands.getFirst()).isEqualTo(codeMount());
    assertThat(launcher.verbs()).containsExactly("mount", "mount", "exec");
  }

  @Test
  void aWarmupThatEndsWithTheLauncherMayBeTriedAgain() {
    containers.init();
    launcher.answers("exec", new LaunchReport.Lost("launcher: it ended"));

    refused(this::warmup, ErrorCode.UNAVAILABLE, "launcher: it ended");
  }

  @Test
  void codeThatTurnsOutToBeBadEndsTheRunnerThatWaitsForIt() {
    containers.init();
    launcher.commands.clear();

    refused(
        () -> containers.warmup(request(C0, 256, WRONG_HASH)),
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256 checksum failed");

    assertThat(launcher.verbs()).containsExactly("mount", "exec", "destroy", "create");
    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void aWarmContainerRefusesAnotherFunction() {
    containers.init();
    warmup();

    refused(
        this::warmup, ErrorCode.RESOURCE_CONFLICT, "container " + C0 + " is warm (expected: cold)");
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));
  }

  @Test
  void tooMuchMemoryIsRefusedAndTheContainerStaysCold() {
    containers.init();
    containers.warmup(request(ContainerId.of("pod", 1), 400, code.sha256()));
    launcher.commands.clear();

    refused(this::warmup, ErrorCode.TOO_MANY_REQUESTS, "expected: at most 112MiB");

    assertThat(info().state()).isEqualTo("cold");
    assertThat(info().generation()).isEqualTo(1);
    assertThat(launcher.commands).isEmpty();
  }

  @Test
  void aHashThatIsNoneIsRefusedAtOnce() {
    containers.init();
    launcher.commands.clear();

    refused(
        () -> containers.warmup(request(C0, 256, "AAAA")),
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256");

    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    assertThat(memoryLimit()).isEqualTo(BASE);
    assertThat(launcher.commands).isEmpty();
  }

  @Test
  void aLimitTheKernelRefusesIsUndone() {
    containers.init();
    launcher.commands.clear();
    cgroups.failure = "write \"1\" to memory.max: EINVAL";

    refused(this::warmup, ErrorCode.SERVICE, "memory.max: EINVAL");

    assertThat(launcher.commands).isEmpty();
    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mount", "exec"})
  void aFailedStartGivesEverythingBackAndMakesTheSandboxAnew(String verb) {
    containers.init();
    launcher.commands.clear();
    launcher.refuses(verb);

    refused(this::warmup, ErrorCode.SERVICE, verb + "-step /x: EPERM");

    assertThat(launcher.verbs()).endsWith("destroy", "create");
    assertThat(info().state()).isEqualTo("cold");
    assertThat(info().generation()).isEqualTo(2);
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    assertThat(memoryLimit()).isEqualTo(BASE);
    assertThat(warmup().state()).isEqualTo("warm");
  }

  @Test
  void prewarmMountsTheRuntimeAndStartsARunner() {
    containers.init();
    launcher.commands.clear();

    ContainerInfo prewarmed = prewarm();

    assertThat(prewarmed.state()).isEqualTo("prewarmed");
    assertThat(prewarmed.hostPid()).isPositive();
    assertThat(launcher.verbs()).containsExactly("mount", "exec");
    assertThat(launcher.commands.getFirst()).isEqualTo(runtimeMount());
    assertThat(requireNonNull(cgroups.slots.get(C0.value())))
        .isEqualTo(new CgroupLimits(BASE, 0, 0, 64));
    assertThat(ledger.used()).isEqualTo(BASE);
    refused(this::prewarm, ErrorCode.RESOURCE_CONFLICT, "is prewarmed (expected: cold)");
  }

  @Test
  void aPrewarmedContainerOnlyNeedsTheCode() {
    containers.init();
    prewarm();
    launcher.commands.clear();

    ContainerInfo warm = warmup();

    assertThat(warm.state()).isEqualTo("warm");
    assertThat(launcher.commands).containsExactly(codeMount());
    assertThat(requireNonNull(cgroups.slots.get(C0.value())))
        .isEqualTo(new CgroupLimits(ByteSize.ofMebibytes(256), 0.2, 0, 64));
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));

    containers.reset(C0, "test");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    assertThat(info().state()).isEqualTo("cold");
  }

  @Test
  void aPrewarmedContainerRefusesAnotherRuntime() {
    containers.init();
    prewarm();
    WarmupRequest request = request(C0, 256, code.sha256());
    RuntimeConfiguration python =
        new RuntimeConfiguration(
            "python3", "/usr/bin/python3", directory.toString(), List.of(), List.of());

    refused(
        () -> containers.warmup(with(request, python)),
        ErrorCode.RESOURCE_CONFLICT,
        "is prewarmed (expected: cold, or prewarmed with [/usr/bin/python3])");
    assertThat(info().state()).isEqualTo("prewarmed");
  }

  @Test
  void aWarmupThatFailsInAPrewarmedContainerMakesItAnew() {
    containers.init();
    prewarm();
    launcher.commands.clear();

    refused(
        () -> containers.warmup(request(C0, 256, WRONG_HASH)),
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256 checksum failed");

    assertThat(launcher.verbs()).containsExactly("destroy", "create");
    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void anErrorInAWarmupGivesBackWhatWasTaken() {
    containers.init();
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("exec")) {
        throw new LinkageError("of the engine");
      }
    });

    assertThatExceptionOfType(LinkageError.class).isThrownBy(this::warmup);

    assertThat(info().state()).isEqualTo("cold");
    assertThat(info().currentEvent()).isEmpty();
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void whatAnErrorLeavesOfAWarmupIsGivenBackByTheReset() {
    containers.init();
    launcher.refuses("exec");
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("destroy")) {
        throw new LinkageError("of the engine");
      }
    });
    assertThatExceptionOfType(LinkageError.class).isThrownBy(this::warmup);
    assertThat(info().state()).isEqualTo("broken");
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));
    launcher.beforeEach(_ -> {});

    containers.reset(C0, "test");

    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void aPrewarmedSandboxThatIsKilledIsBrokenUntilItIsReset() {
    containers.init();
    prewarm();

    containers.onEvent(new LauncherEvent.Gone(C0.value()));
    assertThat(info().state()).isEqualTo("broken");
    containers.reset(C0, "test");

    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void onlyAWarmContainerIsFrozen() {
    containers.init();
    refused(() -> containers.freeze(C0), ErrorCode.RESOURCE_CONFLICT, "not running: ");
    warmup();
    launcher.commands.clear();
    cgroups.beforeFreeze = () -> assertThat(launcher.verbs()).containsExactly("rest");

    containers.freeze(C0);
    assertThat(cgroups.frozen).containsExactly(C0.value());
    assertThat(info().state()).isEqualTo("warm");

    containers.thaw(C0);
    assertThat(cgroups.frozen).isEmpty();
  }

  @Test
  void aContainerWhoseKeeperIsGoneIsNotFrozen() {
    containers.init();
    warmup();
    launcher.refuses("rest");

    refused(() -> containers.freeze(C0), ErrorCode.SERVICE, "freeze " + C0);
    assertThat(cgroups.frozen).isEmpty();
    assertThat(info().state()).isEqualTo("warm");
  }

  @Test
  void aSandboxThatIsKilledWhileItIsFrozenIsBroken() {
    containers.init();
    warmup();
    cgroups.beforeFreeze = () -> containers.onEvent(new LauncherEvent.Gone(C0.value()));

    containers.freeze(C0);

    assertThat(info().state()).isEqualTo("broken");
    containers.reset(C0, "test");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void resetDestroysGivesBackAndMakesAnew() {
    containers.init();
    warmup();
    launcher.commands.clear();
    AtomicReference<ByteSize> usedWhileAlive = new AtomicReference<>();
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("destroy")) {
        usedWhileAlive.set(ledger.used());
      }
    });

    var response = containers.reset(C0, "idle");

    assertThat(response.exit()).as("it was not running, and no exit was reported").isNull();
    assertThat(response.wasEmpty()).isFalse();
    assertThat(response.container().state()).isEqualTo("cold");
    assertThat(response.container().generation()).isEqualTo(2);
    assertThat(launcher.verbs()).containsExactly("destroy", "create");
    assertThat(usedWhileAlive.get()).isEqualTo(ByteSize.ofMebibytes(256));
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    assertThat(memoryLimit()).isEqualTo(BASE);
  }

  @Test
  void resetTellsHowTheRunnerHadEnded() {
    containers.init();
    warmup();
    cgroups.oomKills = 1;
    containers.onEvent(new LauncherEvent.Exited(C0.value(), 1, 137, 9));

    ResetResponse first = containers.reset(C0, "runner-exited");
    ResetResponse again = containers.reset(C0, "again");
    assertThat(first.exit()).isEqualTo(new RunnerExit(137, 9, true));
    assertThat(first.wasEmpty()).isFalse();
    assertThat(again.exit()).isNull();
    assertThat(again.wasEmpty()).as("as all are in a funclet that has just begun").isTrue();
  }

  @Test
  void anExitOfOneContainerIsNotAnothers() {
    containers.init();
    warmup();
    containers.onEvent(new LauncherEvent.Exited(ContainerId.of("pod", 1).value(), 1, 3, 0));

    assertThat(containers.reset(C0, "idle").exit()).isNull();
  }

  @Test
  void aContainerThatIsBusyNamesBothEvents() throws InterruptedException {
    containers.init();
    CountDownLatch inMount = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("mount")) {
        inMount.countDown();
        awaitQuietly(goOn);
      }
    });
    Thread warming = Thread.ofVirtual().start(this::warmup);
    awaitQuietly(inMount);

    assertThat(info().currentEvent()).isEqualTo("event_warmup");
    refused(
        () -> containers.reset(C0, "idle"),
        ErrorCode.RESOURCE_CONFLICT,
        "container " + C0 + " is busy: current event event_warmup, trigger event event_reset");
    refused(this::warmup, ErrorCode.RESOURCE_CONFLICT, "trigger event event_warmup");

    goOn.countDown();
    warming.join();
    assertThat(info().state()).isEqualTo("warm");
  }

  @Test
  void aSandboxThatCannotBeMadeIsBrokenUntilItIsReborn() {
    launcher.refuses("create").refuses("create");
    containers.init();

    assertThat(containers.list()).extracting(ContainerInfo::state).containsOnly("broken");
    assertThat(info().reason()).contains("create-step /x: EPERM");
    refused(this::warmup, ErrorCode.RESOURCE_CONFLICT, "not running: create");

    assertThat(containers.reset(C0, "reborn").container().state()).isEqualTo("cold");
    assertThat(info().reason()).isEmpty();
  }

  @Test
  void aKeeperThatCannotDestroyIsEnded() {
    containers.init();
    warmup();
    launcher.commands.clear();
    launcher.answers("destroy", new LaunchReport.Lost("no answer"));

    containers.reset(C0, "timeout");

    assertThat(launcher.verbs()).containsExactly("destroy", "open", "create");
    assertThat(info().state()).isEqualTo("cold");
  }

  @Test
  void theEndOfAKeeperThatWasEndedIsNotThatOfTheNextSandbox() {
    containers.init();
    warmup();
    launcher.answers("destroy", new LaunchReport.Lost("no answer"));
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("open")) {
        containers.onEvent(new LauncherEvent.Gone(C0.value()));
      }
    });

    containers.reset(C0, "timeout");

    assertThat(info().state()).isEqualTo("cold");
  }

  @Test
  void aKeeperOfWhoseStartNobodyKnowsIsAskedToDestroy() {
    launcher.answers("open", new LaunchReport.Lost("no answer"));
    containers.init();
    ContainerId broken =
        containers.list().stream()
            .filter(container -> container.state().equals("broken"))
            .findFirst()
            .orElseThrow()
            .containerID();
    launcher.commands.clear();

    containers.reset(broken, "again");

    assertThat(launcher.verbs()).containsExactly("destroy", "create");
  }

  @Test
  void memoryOfProcessesThatCannotBeKilledIsNotGivenBack() {
    containers.init();
    warmup();
    launcher.answers("destroy", new LaunchReport.Lost("no answer"));
    cgroups.failure = "kill processes [7]: still there";

    refused(() -> containers.reset(C0, "idle"), ErrorCode.SERVICE, "kill processes [7]");

    assertThat(info().state()).isEqualTo("broken");
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));

    cgroups.failure = null;
    containers.reset(C0, "again");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    assertThat(info().state()).isEqualTo("cold");
  }

  @Test
  void aWarmSandboxKilledFromOutsideIsBrokenUntilItIsReborn() {
    containers.init();
    warmup();

    containers.onEvent(new LauncherEvent.Gone(C0.value()));

    assertThat(info().state()).isEqualTo("broken");
    assertThat(info().reason()).isEqualTo("the sandbox was killed from outside");
    assertThat(ledger.used()).as("until it is reset").isEqualTo(ByteSize.ofMebibytes(256));
    assertThat(containers.reset(C0, "reborn").wasEmpty()).isTrue();
    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  @Timeout(60)
  void thatASandboxWasKilledIsKnownHoweverSoonItIsReset() throws Exception {
    containers.init();
    warmup();
    // The runner's connection ends, and it is asked for a reset, before its keeper has seen the end
    // of the sandbox.
    Path stat = processesOfPipe();
    CompletableFuture<ResetResponse> reset =
        CompletableFuture.supplyAsync(() -> containers.reset(C0, "runner-exited"));
    try (OutputStream asked = Files.newOutputStream(stat)) {
      containers.onEvent(new LauncherEvent.Gone(C0.value()));
      asked.write("1004 (runner) Z 1 1 1 0 -1 4194308 0".getBytes(UTF_8));
    }

    assertThat(reset.get(10, TimeUnit.SECONDS).wasEmpty()).isTrue();
  }

  @Test
  void aColdSandboxKilledFromOutsideIsMadeAnewWithoutBeingAskedFor() throws InterruptedException {
    containers.init();
    CountDownLatch isMadeAnew = new CountDownLatch(1);
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("create")) {
        isMadeAnew.countDown();
      }
    });

    containers.onEvent(new LauncherEvent.Gone(C0.value()));

    assertThat(isMadeAnew.await(10, TimeUnit.SECONDS)).isTrue();
    containers.repair("wait until it is done");
    assertThat(info().state()).isEqualTo("cold");
    assertThat(info().generation()).isEqualTo(2);
  }

  @Test
  void aSandboxKilledDuringWarmupIsNotCalledWarm() {
    containers.init();
    launcher.beforeEach(command -> {
      if (command.arguments().getFirst().equals("exec")) {
        containers.onEvent(new LauncherEvent.Gone(C0.value()));
      }
    });

    refused(this::warmup, ErrorCode.UNAVAILABLE, "killed from outside");

    assertThat(info().state()).isEqualTo("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void whenTheLauncherDiesEverythingIsBrokenAndThenMadeAnew() {
    containers.init();
    warmup();
    launcher
        .answers("destroy", new LaunchReport.Lost("x"))
        .answers("destroy", new LaunchReport.Lost("x"));

    containers.onEvent(new LauncherEvent.LauncherDied("launcher: it ended"));
    assertThat(containers.list())
        .extracting(ContainerInfo::reason)
        .containsOnly("launcher: it ended");

    launcher.answers("open", new LaunchReport.Lost("launcher: it ended"));
    refused(() -> containers.reset(C0, "runner-exited"), ErrorCode.UNAVAILABLE, "it ended");

    containers.repair("the launcher died");
    assertThat(containers.list()).extracting(ContainerInfo::state).containsOnly("cold");
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }

  @Test
  void closeLeavesNothing() {
    containers.init();
    warmup();

    containers.close();
    containers.close();

    assertThat(cgroups.slots).isEmpty();
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
    refused(() -> containers.reset(C0, "idle"), ErrorCode.UNAVAILABLE, "the engine is stopping");
  }

  @Test
  void whatIsPausedIsContinuedBeforeItIsEnded() {
    containers.init();
    warmup();
    containers.freeze(C0);
    AtomicReference<Boolean> paused = new AtomicReference<>();
    launcher.beforeEach(command -> {
      if (command.arguments().equals(List.of("close", C0.value()))) {
        paused.set(cgroups.frozen.contains(C0.value()));
      }
    });

    containers.close();

    assertThat(paused).hasValue(false);
  }

  @Test
  void anUnknownContainerIsNotFound() {
    ContainerId other = new ContainerId("other");

    refused(
        () -> containers.reset(other, "idle"),
        ErrorCode.RESOURCE_NOT_FOUND,
        "container other not found");
    refused(
        () -> containers.container(other),
        ErrorCode.RESOURCE_NOT_FOUND,
        "container other not found");
  }

  @Test
  void aRuntimeThatIsNotThereIsNamed() {
    containers.init();
    WarmupRequest good = request(C0, 256, code.sha256());

    refused(
        () ->
            containers.warmup(
                with(
                    good,
                    new RuntimeConfiguration(
                        "go1", "/b", directory + "/none", List.of(), List.of()))),
        ErrorCode.INVALID_RUNTIME,
        "runtime go1: Path \"" + directory + "/none\" (expected: an existing directory)");
    refused(
        () ->
            containers.warmup(
                with(good, new RuntimeConfiguration("go1", "/b", "/etc", List.of(), List.of()))),
        ErrorCode.INVALID_PARAMETER,
        "runtime go1: Path: \"/etc\" (expected: in one of [" + directory + "], see --source-dirs)");
    refused(
        () ->
            containers.warmup(
                with(good, new RuntimeConfiguration("go1", "b", "/", List.of(), List.of()))),
        ErrorCode.INVALID_RUNTIME,
        "runtime go1: Bin \"b\" (expected: an absolute path)");
    refused(
        () -> containers.warmup(request(C0, -1, code.sha256())),
        ErrorCode.INVALID_PARAMETER,
        "MemorySize: -1");
    assertThat(info().state()).isEqualTo("cold");
  }

  /// Every process the fake launcher may start runs.
  private Path processes() throws IOException {
    for (int pid = 1000; pid < 1050; pid++) {
      Path process = Files.createDirectories(directory.resolve("proc/" + pid));
      Files.writeString(process.resolve("stat"), pid + " (runner) S 1 1 1 0 -1 4194304 0");
    }
    return directory.resolve("proc");
  }

  /// Who asks how a process is waits until the pipe is written to.
  private Path processesOfPipe() throws Exception {
    Path pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    for (int pid = 1000; pid < 1050; pid++) {
      Path stat = directory.resolve("proc/" + pid + "/stat");
      Files.delete(stat);
      Files.createSymbolicLink(stat, pipe);
    }
    return pipe;
  }

  private ContainerInfo info() {
    return containers.list().getFirst();
  }

  private ByteSize memoryLimit() {
    return requireNonNull(cgroups.slots.get(C0.value())).memory();
  }

  private List<List<String>> commandsOf(ContainerId id) {
    return launcher.commands.stream().filter(command -> command.get(1).equals(id.value())).toList();
  }

  private ContainerInfo prewarm() {
    return containers
        .prewarm(
            new PrewarmRequest(
                C0, "request-0", request(C0, 256, code.sha256()).runtimeConfiguration(), CHANNEL))
        .container();
  }

  private List<String> runtimeMount() {
    return List.of(
        "mount",
        C0.value(),
        "--empty",
        directory.toString(),
        "--bind-ro",
        directory.toString(),
        "/var/runtime");
  }

  private List<String> codeMount() {
    Path unpacked = directory.resolve("code/other").resolve(code.hex());
    return List.of(
        "mount",
        C0.value(),
        "--empty",
        directory.toString(),
        "--bind-ro",
        unpacked.toString(),
        "/var/task");
  }

  private ContainerInfo warmup() {
    return containers.warmup(request(C0, 256, code.sha256())).container();
  }

  private WarmupRequest request(ContainerId id, int memory, String sha256) {
    return new WarmupRequest(
        id,
        "request-1",
        new FunctionCode(code.file().toString(), "filesystem", null),
        new FunctionConfiguration(
            sha256,
            null,
            null,
            null,
            "brn:f",
            "f",
            "index.handler",
            null,
            memory,
            "nodejs20",
            3,
            "$LATEST",
            null,
            null,
            null,
            null),
        new RuntimeConfiguration(
            "nodejs20",
            "/usr/bin/node",
            directory.toString(),
            List.of("/var/runtime/r.js"),
            List.of()),
        CHANNEL);
  }

  private static WarmupRequest with(WarmupRequest request, RuntimeConfiguration runtime) {
    return new WarmupRequest(
        request.containerID(),
        request.requestID(),
        request.code(),
        request.configuration(),
        runtime,
        request.channel());
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void refused(Runnable action, ErrorCode code, String message) {
    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(action::run)
        .withMessageContaining(message)
        .satisfies(failure -> assertThat(failure.code()).isEqualTo(code));
  }
}
