package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class NodeCapacityTest {
  private static final String MEMINFO = "MemTotal:        2097152 kB\nMemFree:  1 kB\n";

  @Test
  void withoutALimitItIsTheMachine() {
    assertThat(NodeCapacity.of(OptionalLong.empty(), OptionalDouble.empty(), MEMINFO, 4))
        .isEqualTo(new NodeCapacity(ByteSize.ofMebibytes(2048), 4));
  }

  @Test
  void theSmallerOfLimitAndMachineCounts() {
    assertThat(NodeCapacity.of(OptionalLong.of(1 << 30), OptionalDouble.of(1.5), MEMINFO, 4))
        .isEqualTo(new NodeCapacity(ByteSize.ofMebibytes(1024), 1.5));
    assertThat(NodeCapacity.of(OptionalLong.of(1L << 40), OptionalDouble.of(64), MEMINFO, 4))
        .isEqualTo(new NodeCapacity(ByteSize.ofMebibytes(2048), 4));
  }

  @Test
  void aMachineThatDoesNotTellIsRefused() {
    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> NodeCapacity.of(OptionalLong.empty(), OptionalDouble.empty(), "", 4))
        .withMessage("/proc/meminfo: no MemTotal");
  }
}
