package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.funclet.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Control groups as this machine's kernel has them.
@RequiresRoot
final class CgroupsIT {
  private static final String ENGINE = "%08x".formatted(ProcessHandle.current().pid());
  private static final int CHAINS = 32;
  private static final CgroupLimits LIMITS =
      new CgroupLimits(ByteSize.ofMebibytes(64), 0.2, 1.5, 99);

  private final Cgroups cgroups = EngineCgroups.of(ENGINE, Path.of("/sys/fs/cgroup"));
  private SlotGroups slot;
  private List<Path> groups;

  @BeforeEach
  void make() {
    cgroups.prepare();
    cgroups.prepare();
    slot = cgroups.create("c0", LIMITS);
    groups = new ArrayList<>(slot.joined());
    Path sandbox = slot.sandbox();
    if (sandbox != null) {
      groups.add(sandbox);
    }
  }

  @AfterEach
  void nothingIsLeft() {
    cgroups.removeAll();
    cgroups.removeAll();
    assertThat(cgroups.engineGroups()).allSatisfy(group -> assertThat(group).doesNotExist());
  }

  @Test
  void memoryCanGrowAndShrink() {
    assertThat(cgroups.stats("c0").memoryLimit()).isEqualTo(64 << 20);

    cgroups.limit("c0", LIMITS.withMemory(ByteSize.ofMebibytes(256)));
    assertThat(cgroups.stats("c0").memoryLimit()).isEqualTo(256 << 20);
    assertThat(cgroups.stats("c0").swapLimit()).isEqualTo(256 << 20);

    cgroups.limit("c0", LIMITS.withMemory(ByteSize.ofMebibytes(32)));
    assertThat(cgroups.stats("c0").memoryLimit()).isEqualTo(32 << 20);
    assertThat(cgroups.stats("c0").swapLimit()).isEqualTo(32 << 20);
  }

  @Test
  void creatingTwiceKeepsTheGroups() {
    assertThat(cgroups.create("c0", LIMITS)).isEqualTo(slot);
    assertThat(cgroups.oomKills("c0")).isZero();
  }

  @Test
  void aFrozenProcessIsThawedAndKilledByRemove() throws Exception {
    Process sleep = sleepIn(groups);
    cgroups.freeze("c0");
    assertThat(cgroups.stats("c0").isFrozen()).isTrue();

    cgroups.remove("c0");
    cgroups.remove("c0");

    assertThat(sleep.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(groups).allSatisfy(group -> assertThat(group).doesNotExist());
  }

  @Test
  void processesThatForkAsFastAsTheyCanAreKilled() throws Exception {
    hopIn(groups);

    int killed = CgroupRemoval.remove(groups);

    assertThat(killed).isPositive();
    assertThat(groups).allSatisfy(group -> assertThat(group).doesNotExist());
  }

  @Test
  void processesThatForkInAVersion1FreezerAreKilledAndNoneStaysFrozen() throws Exception {
    Path freezer = Path.of("/sys/fs/cgroup/freezer");
    assumeThat(freezer).as("a freezer of version 1").exists();
    Path group = Files.createDirectory(freezer.resolve("removal-" + ENGINE));
    hopIn(List.of(group));

    int killed = CgroupRemoval.remove(List.of(group));

    assertThat(killed).isPositive();
    assertThat(group).doesNotExist();
  }

  @Test
  void thawLetsAFrozenProcessGoOn() throws Exception {
    Process sleep = sleepIn(groups);
    cgroups.freeze("c0");
    cgroups.thaw("c0");
    cgroups.thaw("c0");

    assertThat(cgroups.stats("c0").isFrozen()).isFalse();
    sleep.destroyForcibly();
    assertThat(sleep.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theEnginesLimitsAreNotMoreThanTheMachine() throws IOException {
    NodeCapacity capacity =
        NodeCapacity.of(
            cgroups.memoryLimit(),
            cgroups.cpuLimit(),
            Files.readString(Path.of("/proc/meminfo")),
            Runtime.getRuntime().availableProcessors());

    assertThat(capacity.memory().bytes()).isPositive();
    assertThat(capacity.cores()).isPositive();
  }

  /// Chains of processes, each of which ends as soon as it has started the next.
  private static void hopIn(List<Path> groups) throws Exception {
    String chains = "read go; hop() { hop & }; " + "hop; ".repeat(CHAINS);
    Process first = new ProcessBuilder("sh", "-c", chains).start();
    groups.forEach(
        group -> ControlFile.in(group, "cgroup.procs").write(Long.toString(first.pid())));
    first.getOutputStream().write('\n');
    first.getOutputStream().close();
    first.waitFor();
  }

  private static Process sleepIn(List<Path> groups) throws IOException {
    Process sleep = new ProcessBuilder("sleep", "600").start();
    groups.forEach(
        group -> ControlFile.in(group, "cgroup.procs").write(Long.toString(sleep.pid())));
    return sleep;
  }
}
