package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// On plain files: this is the only place where version 2 is tested without a kernel that has it.
final class CgroupsV2Test {
  private static final String ENGINE = "easyfaas-00c0ffee";
  private static final CgroupLimits LIMITS = new CgroupLimits(ByteSize.ofMebibytes(64), 1, 0, 99);

  @TempDir private Path root;

  @Test
  void controllersAreHandedDownFromTheRootOfTheMachine() {
    inner(root);
    Path engine = inner(root.resolve(ENGINE));

    of(root).prepare();

    assertThat(FakeControlFiles.read(root, "cgroup.subtree_control"))
        .isEqualTo("+memory +cpu +pids");
    assertThat(FakeControlFiles.read(engine, "cgroup.subtree_control"))
        .isEqualTo("+memory +cpu +pids");
    assertThat(root.resolve("engine")).doesNotExist();
  }

  @Test
  void controllersThatAreHandedDownAlreadyAreLeftAlone() {
    inner(root);
    inner(root.resolve(ENGINE));
    FakeControlFiles.group(root, Map.of("cgroup.subtree_control", "cpu io memory pids"));

    of(root).prepare();

    assertThat(FakeControlFiles.read(root, "cgroup.subtree_control"))
        .isEqualTo("cpu io memory pids");
  }

  @Test
  void theEngineMovesIntoALeafOfTheGroupItWasStartedIn() {
    inner(root);
    Path own = inner(root.resolve("service"));
    inner(own.resolve(ENGINE));
    FakeControlFiles.group(own, Map.of("cgroup.type", "domain", "cgroup.procs", "4242"));
    FakeControlFiles.group(own.resolve("engine"), Map.of("cgroup.procs", ""));

    of(own).prepare();

    assertThat(FakeControlFiles.read(own.resolve("engine"), "cgroup.procs")).isEqualTo("4242");
    assertThat(FakeControlFiles.read(own, "cgroup.subtree_control"))
        .isEqualTo("+memory +cpu +pids");
  }

  @Test
  void theGroupsAboveHandDownWhatTheirsLacks() {
    inner(root);
    Path own = inner(root.resolve("session"));
    inner(own.resolve(ENGINE));
    FakeControlFiles.group(own, Map.of("cgroup.type", "domain", "cgroup.procs", ""));
    FakeControlFiles.group(own.resolve("engine"), Map.of("cgroup.procs", ""));

    of(own).prepare();

    assertThat(FakeControlFiles.read(root, "cgroup.subtree_control"))
        .isEqualTo("+memory +cpu +pids");
  }

  @Test
  void anEngineThatIsInTheLeafAlreadyGrowsItsTreeBesideIt() {
    assertThat(of(root.resolve("service/engine")).engineGroups())
        .containsExactly(root.resolve("service").resolve(ENGINE));
  }

  @Test
  void aControllerThatIsNotDelegatedIsNamed() {
    inner(root);
    FakeControlFiles.group(root, Map.of("cgroup.controllers", "cpu pids"));

    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> of(root).prepare())
        .withMessageContaining("has the controllers [cpu, pids] (expected: [memory, cpu, pids])");
  }

  @Test
  void limitsAreWrittenInTheKernelsUnits() {
    Path slot = slot();

    assertThat(of(root).create("c0", LIMITS))
        .isEqualTo(new SlotGroups(List.of(slot), slot.resolve("sandbox")));

    assertThat(FakeControlFiles.read(slot, "memory.max")).isEqualTo("67108864");
    assertThat(FakeControlFiles.read(slot, "memory.swap.max")).isEqualTo("0");
    assertThat(FakeControlFiles.read(slot, "cpu.weight")).isEqualTo("40");
    assertThat(FakeControlFiles.read(slot, "cpu.max")).isEqualTo("max 100000");
    assertThat(FakeControlFiles.read(slot, "pids.max")).isEqualTo("99");
  }

  @Test
  void onlyWhatChangesIsWritten() {
    Path slot = slot();
    Cgroups cgroups = of(root);
    cgroups.create("c0", LIMITS);
    Map<String, String> marked =
        Map.of(
            "memory.max",
            "-",
            "memory.swap.max",
            "-",
            "cpu.weight",
            "-",
            "cpu.max",
            "-",
            "pids.max",
            "-");
    FakeControlFiles.group(slot, marked);

    cgroups.limit("c0", LIMITS);
    cgroups.expedite("c0");
    cgroups.limit("c0", LIMITS.withMemory(ByteSize.ofMebibytes(32)));

    assertThat(FakeControlFiles.read(slot, "pids.max")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot, "cpu.max")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot, "cpu.weight")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot, "memory.max")).isEqualTo("33554432");

    FakeControlFiles.group(slot, marked);
    cgroups.create("c0", LIMITS.withMemory(ByteSize.ofMebibytes(32)));
    assertThat(marked.keySet())
        .allSatisfy(name -> assertThat(FakeControlFiles.read(slot, name)).isNotEqualTo("-"));
  }

  @Test
  void aCpuLimitIsAQuotaOfThePeriod() {
    Path slot = slot();

    of(root).limit("c0", new CgroupLimits(ByteSize.ofMebibytes(64), 1, 0.5, 99));

    assertThat(FakeControlFiles.read(slot, "cpu.max")).isEqualTo("50000 100000");
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0.2, 9", "1, 40", "2, 79", "256, 10000", "4096, 10000"})
  void weightsAreStretchedAsSystemdDoes(double cores, long weight) {
    assertThat(CgroupsV2.weight(cores)).isEqualTo(weight);
  }

  @Test
  void statsAreRead() throws IOException {
    Path slot = slot();
    of(root).create("c0", LIMITS);

    assertThat(of(root).stats("c0"))
        .isEqualTo(new CgroupStats(4096, 67_108_864, 67_108_864, 5_000_000, true));
    assertThat(of(root).oomKills("c0")).isEqualTo(2);

    Files.delete(slot.resolve("memory.swap.max"));
    assertThat(of(root).stats("c0").swapLimit()).isEqualTo(67_108_864);
  }

  @Test
  void aCrowdThatIsToDieGetsNoChildrenButSomeMemory() {
    Path slot = slot();
    of(root).create("c0", LIMITS);
    FakeControlFiles.group(slot, Map.of("pids.current", "33"));

    of(root).expedite("c0");

    assertThat(FakeControlFiles.read(slot, "pids.max")).isEqualTo("0");
    assertThat(FakeControlFiles.read(slot, "memory.max"))
        .isEqualTo("" + (LIMITS.memory().bytes() + (64 << 20)));
  }

  @Test
  void whatIsToDieGetsAProcessorUntilTheNextLimit() {
    Path slot = slot();
    CgroupLimits limits = new CgroupLimits(ByteSize.ofMebibytes(64), 1, 0.5, 99);
    of(root).create("c0", limits);
    FakeControlFiles.group(slot.resolve("sandbox"), Map.of("cgroup.freeze", "1"));

    of(root).expedite("c0");
    assertThat(FakeControlFiles.read(slot.resolve("sandbox"), "cgroup.freeze")).isEqualTo("0");
    assertThat(FakeControlFiles.read(slot, "cpu.weight")).isEqualTo("40");
    assertThat(FakeControlFiles.read(slot, "cpu.max")).isEqualTo("max 100000");

    of(root).limit("c0", limits);
    assertThat(FakeControlFiles.read(slot, "cpu.weight")).isEqualTo("40");
    assertThat(FakeControlFiles.read(slot, "cpu.max")).isEqualTo("50000 100000");
  }

  @Test
  void freezingWaitsForTheKernelsEvent() {
    Path slot = slot();

    of(root).freeze("c0");
    assertThat(FakeControlFiles.read(slot.resolve("sandbox"), "cgroup.freeze")).isEqualTo("1");
    of(root).thaw("c0");
    assertThat(FakeControlFiles.read(slot.resolve("sandbox"), "cgroup.freeze")).isEqualTo("0");

    FakeControlFiles.group(
        slot.resolve("sandbox"), Map.of("cgroup.events", "populated 1\nfrozen 0"));
    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> of(root).freeze("c0"))
        .withMessage("freeze " + slot.resolve("sandbox") + ": not frozen in 1s");
    assertThat(FakeControlFiles.read(slot.resolve("sandbox"), "cgroup.freeze")).isEqualTo("0");
  }

  @Test
  void limitsOfTheGroupsAboveCount() {
    Path own =
        FakeControlFiles.group(
            root.resolve("a/b"), Map.of("memory.max", "max", "cpu.max", "max 100000"));
    FakeControlFiles.group(
        root.resolve("a"), Map.of("memory.max", "1048576", "cpu.max", "50000 100000"));

    assertThat(of(own).memoryLimit()).hasValue(1_048_576);
    assertThat(of(own).cpuLimit()).hasValue(0.5);
    assertThat(of(root).memoryLimit()).isEmpty();
    assertThat(of(root).cpuLimit()).isEmpty();
  }

  private CgroupsV2 of(Path group) {
    return new CgroupsV2(new CgroupLayout.V2(group, root), ENGINE);
  }

  private static Path inner(Path group) {
    return FakeControlFiles.group(
        group,
        Map.of("cgroup.controllers", "cpuset cpu io memory pids", "cgroup.subtree_control", ""));
  }

  private Path slot() {
    FakeControlFiles.group(
        root.resolve(ENGINE).resolve("c0").resolve("sandbox"),
        Map.of("cgroup.freeze", "0", "cgroup.events", "populated 1\nfrozen 1"));
    return FakeControlFiles.group(
        root.resolve(ENGINE).resolve("c0"),
        Map.of(
            "memory.max", "max",
            "memory.swap.max", "max",
            "memory.current", "4096",
            "memory.events", "low 0\noom 2\noom_kill 2",
            "cpu.weight", "100",
            "cpu.max", "max 100000",
            "cpu.stat", "usage_usec 5000\nuser_usec 1",
            "pids.max", "max",
            "pids.current", "2"));
  }
}
