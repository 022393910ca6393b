package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// On plain files; what only a kernel can do is in `CgroupsIT`.
final class CgroupsV1Test {
  private static final CgroupLimits LIMITS =
      new CgroupLimits(ByteSize.ofMebibytes(64), 0.2, 1.5, 99);

  @TempDir private Path root;
  private Cgroups cgroups;

  @BeforeEach
  void makeGroups() {
    Map<String, Path> groups = new LinkedHashMap<>();
    for (String controller : CgroupLayout.V1_CONTROLLERS) {
      groups.put(controller, root.resolve(controller).resolve("own"));
    }
    groups.put(CgroupLayout.UNIFIED, root.resolve("unified").resolve("own"));
    cgroups = of(groups);
    FakeControlFiles.group(
        slot("memory"),
        Map.of(
            "memory.limit_in_bytes",
            "9223372036854771712",
            "memory.memsw.limit_in_bytes",
            "9223372036854771712",
            "memory.usage_in_bytes",
            "4096",
            "memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 3"));
    FakeControlFiles.group(
        slot("cpu"), Map.of("cpu.shares", "", "cpu.cfs_quota_us", "", "cpu.cfs_period_us", ""));
    FakeControlFiles.group(slot("cpuacct"), Map.of("cpuacct.usage", "1234567"));
    FakeControlFiles.group(slot("pids"), Map.of("pids.max", "max", "pids.current", "2"));
    FakeControlFiles.group(
        slot("unified"), Map.of("cgroup.freeze", "0", "cgroup.events", "populated 1\nfrozen 1"));
    FakeControlFiles.group(slot("freezer"), Map.of("freezer.state", "THAWED"));
  }

  private Cgroups of(Map<String, Path> groups) {
    return new CgroupsV1(
        new CgroupLayout.V1(groups, Map.of("cpu", root.resolve("cpu"))), "easyfaas-00c0ffee");
  }

  /// A machine that has no version 2 beside it.
  private Cgroups pureV1() {
    Map<String, Path> groups = new LinkedHashMap<>();
    for (String controller : CgroupLayout.V1_CONTROLLERS) {
      groups.put(controller, root.resolve(controller).resolve("own"));
    }
    groups.put(CgroupLayout.FREEZER, root.resolve("freezer").resolve("own"));
    return of(groups);
  }

  @Test
  void everyControllerGetsAGroupOfTheSlot() {
    List<Path> joined = List.of(slot("memory"), slot("cpu"), slot("cpuacct"), slot("pids"));

    assertThat(cgroups.create("c0", LIMITS)).isEqualTo(new SlotGroups(joined, slot("unified")));
    assertThat(cgroups.engineGroups())
        .containsExactlyElementsOf(
            java.util.stream.Stream.concat(
                    joined.stream(), java.util.stream.Stream.of(slot("unified")))
                .map(Path::getParent)
                .toList());
  }

  @Test
  void withoutVersion2TheKeeperJoinsTheFreezer() {
    assertThat(pureV1().create("c0", LIMITS))
        .isEqualTo(
            new SlotGroups(
                List.of(
                    slot("memory"), slot("cpu"), slot("cpuacct"), slot("pids"), slot("freezer")),
                null));
  }

  @Test
  void version2FreezesWhereItIsThere() {
    cgroups.freeze("c0");
    assertThat(FakeControlFiles.read(slot("unified"), "cgroup.freeze")).isEqualTo("1");
    assertThat(cgroups.stats("c0").isFrozen()).isTrue();
    cgroups.thaw("c0");
    assertThat(FakeControlFiles.read(slot("unified"), "cgroup.freeze")).isEqualTo("0");

    pureV1().freeze("c0");
    assertThat(FakeControlFiles.read(slot("freezer"), "freezer.state")).isEqualTo("FROZEN");
    assertThat(pureV1().stats("c0").isFrozen()).isTrue();
    pureV1().thaw("c0");
    assertThat(FakeControlFiles.read(slot("freezer"), "freezer.state")).isEqualTo("THAWED");
    assertThat(pureV1().stats("c0").isFrozen()).isFalse();
  }

  @Test
  void limitsAreWrittenInTheKernelsUnits() {
    cgroups.create("c0", LIMITS);

    assertThat(FakeControlFiles.read(slot("memory"), "memory.limit_in_bytes"))
        .isEqualTo("67108864");
    assertThat(FakeControlFiles.read(slot("memory"), "memory.memsw.limit_in_bytes"))
        .isEqualTo("67108864");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("205");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_quota_us")).isEqualTo("150000");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_period_us")).isEqualTo("100000");
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("99");
  }

  @Test
  void aCrowdThatIsToDieGetsNoChildrenButSomeMemoryUntilTheNextLimit() {
    cgroups.create("c0", LIMITS);
    FakeControlFiles.group(slot("pids"), Map.of("pids.current", "33"));

    cgroups.expedite("c0");
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("0");
    assertThat(FakeControlFiles.read(slot("memory"), "memory.limit_in_bytes"))
        .isEqualTo("134217728");

    cgroups.limit("c0", LIMITS);
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("99");
    assertThat(FakeControlFiles.read(slot("memory"), "memory.limit_in_bytes"))
        .isEqualTo("67108864");
  }

  @Test
  void onlyWhatChangesIsWritten() {
    cgroups.create("c0", LIMITS);
    FakeControlFiles.group(slot("memory"), Map.of("memory.limit_in_bytes", "-"));
    FakeControlFiles.group(slot("cpu"), Map.of("cpu.shares", "-", "cpu.cfs_period_us", "-"));
    FakeControlFiles.group(slot("pids"), Map.of("pids.max", "-"));

    cgroups.limit("c0", LIMITS);
    assertThat(FakeControlFiles.read(slot("memory"), "memory.limit_in_bytes")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_period_us")).isEqualTo("-");
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("-");

    cgroups.create("c0", LIMITS);
    assertThat(FakeControlFiles.read(slot("memory"), "memory.limit_in_bytes"))
        .isEqualTo("67108864");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("205");
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("99");
  }

  @Test
  void noCpuLimitIsMinusOne() {
    cgroups.limit("c0", new CgroupLimits(ByteSize.ofMebibytes(64), 0, 0, 99));

    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_quota_us")).isEqualTo("-1");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("2");
  }

  @Test
  void whatIsToDieGetsAProcessorUntilTheNextLimit() {
    cgroups.create("c0", LIMITS);
    FakeControlFiles.group(slot("unified"), Map.of("cgroup.freeze", "1"));

    cgroups.expedite("c0");
    assertThat(FakeControlFiles.read(slot("unified"), "cgroup.freeze")).isEqualTo("0");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("1024");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_quota_us")).isEqualTo("-1");
    assertThat(FakeControlFiles.read(slot("pids"), "pids.max")).isEqualTo("99");

    cgroups.limit("c0", LIMITS);
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.shares")).isEqualTo("205");
    assertThat(FakeControlFiles.read(slot("cpu"), "cpu.cfs_quota_us")).isEqualTo("150000");
  }

  @Test
  void aKernelWithoutSwapAccountingHasOnlyTheMemoryLimit() throws IOException {
    Files.delete(slot("memory").resolve("memory.memsw.limit_in_bytes"));

    cgroups.create("c0", LIMITS);

    assertThat(cgroups.stats("c0").swapLimit()).isEqualTo(67_108_864);
    assertThat(slot("memory").resolve("memory.memsw.limit_in_bytes")).doesNotExist();
  }

  @Test
  void statsAreRead() {
    cgroups.create("c0", LIMITS);

    assertThat(cgroups.stats("c0"))
        .isEqualTo(new CgroupStats(4096, 67_108_864, 67_108_864, 1_234_567, true));
    assertThat(cgroups.oomKills("c0")).isEqualTo(3);
  }

  @Test
  void theOwnGroupsLimitIsTheHierarchicalOne() {
    Path own = root.resolve("memory/own");
    FakeControlFiles.group(
        own, Map.of("memory.stat", "cache 0\nhierarchical_memory_limit 1048576"));
    assertThat(cgroups.memoryLimit()).hasValue(1_048_576);

    FakeControlFiles.group(
        own, Map.of("memory.stat", "hierarchical_memory_limit 9223372036854771712"));
    assertThat(cgroups.memoryLimit()).isEmpty();
  }

  @Test
  void theCpuLimitIsTheLeastOnTheWayUp() {
    assertThat(cgroups.cpuLimit()).isEmpty();

    FakeControlFiles.group(
        root.resolve("cpu/own"), Map.of("cpu.cfs_quota_us", "-1", "cpu.cfs_period_us", "100000"));
    FakeControlFiles.group(
        root.resolve("cpu"), Map.of("cpu.cfs_quota_us", "150000", "cpu.cfs_period_us", "100000"));

    assertThat(cgroups.cpuLimit()).hasValue(1.5);
  }

  @Test
  void aFileThatIsMissingIsNamed() throws IOException {
    Files.delete(slot("pids").resolve("pids.max"));

    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> cgroups.create("c0", LIMITS))
        .withMessageContaining("write \"99\" to " + slot("pids").resolve("pids.max"));
  }

  private Path slot(String controller) {
    return root.resolve(controller).resolve("own/easyfaas-00c0ffee/c0");
  }
}
