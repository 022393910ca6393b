package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class CgroupLayoutTest {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  @Test
  void aPureVersion2HostHasOneTree() {
    CgroupLayout layout =
        CgroupLayout.discover(
            """
            22 1 8:1 / / rw,relatime - ext4 /dev/vda rw
            31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
            """,
            "0::/system.slice/easyfaas.service\n",
            ROOT);

    assertThat(layout)
        .isEqualTo(
            new CgroupLayout.V2(Path.of("/sys/fs/cgroup/system.slice/easyfaas.service"), ROOT));
  }

  @Test
  void aHybridHostCountsAsVersion1() {
    CgroupLayout layout =
        CgroupLayout.discover(
            """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
            """,
            """
            8:pids:/
            4:memory:/process_api/029f
            2:cpu,cpuacct:/user
            0::/user.slice
            """,
            ROOT);

    assertThat(layout).isInstanceOf(CgroupLayout.V1.class);
    CgroupLayout.V1 v1 = (CgroupLayout.V1) layout;
    assertThat(v1.groups())
        .containsEntry("memory", Path.of("/sys/fs/cgroup/memory/process_api/029f"))
        .containsEntry("cpu", Path.of("/sys/fs/cgroup/cpu,cpuacct/user"))
        .containsEntry("cpuacct", Path.of("/sys/fs/cgroup/cpu,cpuacct/user"))
        .containsEntry("pids", Path.of("/sys/fs/cgroup/pids"))
        .containsEntry(CgroupLayout.UNIFIED, Path.of("/sys/fs/cgroup/unified/user.slice"));
    assertThat(v1.mountPoints()).containsEntry("memory", Path.of("/sys/fs/cgroup/memory"));
  }

  @Test
  void withoutVersion2ItsOwnFreezerIsUsed() {
    CgroupLayout layout =
        CgroupLayout.discover(
            """
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
            39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
            """,
            "6:freezer:/\n",
            ROOT);

    assertThat(((CgroupLayout.V1) layout).groups())
        .containsEntry(CgroupLayout.FREEZER, Path.of("/sys/fs/cgroup/freezer"))
        .doesNotContainKey(CgroupLayout.UNIFIED);
  }

  @Test
  void insideAContainerTheTopOfTheMountIsOurs() {
    CgroupLayout bindMounted =
        CgroupLayout.discover(
            "31 22 0:28 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            "0::/docker/abc/inner\n",
            ROOT);
    CgroupLayout foreign =
        CgroupLayout.discover(
            "31 22 0:28 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            "0::/docker/abcdef\n",
            ROOT);
    CgroupLayout namespaced =
        CgroupLayout.discover(
            "31 22 0:28 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/../other\n", ROOT);

    assertThat(bindMounted).isEqualTo(new CgroupLayout.V2(ROOT.resolve("inner"), ROOT));
    assertThat(foreign).isEqualTo(new CgroupLayout.V2(ROOT, ROOT));
    assertThat(namespaced).isEqualTo(new CgroupLayout.V2(ROOT, ROOT));
  }

  @Test
  void mountPointsWithBlanksAreUnderstood() {
    CgroupLayout layout =
        CgroupLayout.discover(
            "31 22 0:28 / /my\\040groups rw - cgroup2 cgroup rw\n",
            "0::/a\n",
            Path.of("/my groups"));

    assertThat(layout)
        .isEqualTo(new CgroupLayout.V2(Path.of("/my groups/a"), Path.of("/my groups")));
  }

  @Test
  void aMissingControllerIsNamed() {
    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() ->
            CgroupLayout.discover(
                "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
                "4:memory:/\n",
                ROOT))
        .withMessage(
            "control groups: version 1 without [cpu, cpuacct, freezer, pids] below /sys/fs/cgroup");
  }

  @Test
  void aMachineWithoutControlGroupsIsToldHowToMountThem() {
    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> CgroupLayout.discover("22 1 8:1 / / rw - ext4 /dev/vda rw\n", "", ROOT))
        .withMessageContaining("Hint: mount -t cgroup2");
  }
}
