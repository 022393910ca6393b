package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.wire.FuncletNode.FuncletResource;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.funclet.cgroup.NodeCapacity;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class NodeResourcesTest {
  private static final long MIB = 1 << 20;
  private static final NodeCapacity MACHINE = new NodeCapacity(ByteSize.ofMebibytes(1124), 2);

  @Test
  void whatIsNotReservedCanBeAllocated() {
    FuncletResource resources = of(MACHINE, "--container-num=8", "--reserved-memory=100MiB");

    assertThat(resources)
        .isEqualTo(
            new FuncletResource(
                128 * MIB,
                new Resource(200, 128 * MIB),
                new Resource(2000, 1124 * MIB),
                new Resource(0, 100 * MIB),
                new Resource(2000, 1024 * MIB),
                Resource.ZERO));
  }

  @Test
  void whatIsConfiguredWinsOverWhatIsFound() {
    FuncletResource resources = of(MACHINE, "--total-memory=4GiB", "--total-cpu=1.5");

    assertThat(resources.capacity()).isEqualTo(new Resource(1500, 4096 * MIB));
  }

  @Test
  void slotsThatDoNotFitAreRefused() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> of(MACHINE, "--container-num=9", "--reserved-memory=100MiB"))
        .withMessage(
            "--container-num: 9 slots of 128MiB (expected: at most 1GiB together, which is 1124MiB"
                + " less --reserved-memory 100MiB). Hint: lower --container-num or"
                + " --runner-memory");
  }

  @Test
  void reservingEverythingIsRefused() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> of(MACHINE, "--reserved-memory=1124MiB"))
        .withMessage("--reserved-memory: \"1124MiB\" (expected: less than all memory, 1124MiB)");
  }

  private static FuncletResource of(NodeCapacity found, String... args) {
    return NodeResources.of(FuncletConfig.parse(List.of(args), Map.of()), found);
  }
}
