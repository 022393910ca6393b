package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.wire.FuncletNode.FuncletResource;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.funclet.cgroup.NodeCapacity;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "512MiB | --container-num=10 | 10 slots of 128MiB, together 1280MiB (expected: at most"
            + " 256MiB, which is 512MiB less 256MiB for the engine). Hint: --container-num 2, or"
            + " 1824MiB of memory",
        "330MiB | --container-num=2  | 2 slots of 128MiB, together 256MiB (expected: at most"
            + " 138MiB, which is 330MiB less 192MiB for the engine). Hint: --container-num 1, or"
            + " 512MiB of memory",
        "192MiB | --container-num=1  | 1 slot of 128MiB, together 128MiB (expected: at most 0B,"
            + " which is 192MiB less 192MiB for the engine). Hint: 320MiB of memory",
      })
  void slotsThatDoNotFitAreRefusedWithNumbersThatDo(String limit, String slots, String message) {
    ByteSize memory = ByteSize.parse(limit);
    long engine = Math.clamp(memory.mebibytes() / 2, 192, 544);

    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> of(new NodeCapacity(memory, 2), plan(engine), slots))
        .withMessage("--container-num: " + message);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 10, 4096})
  void theMemoryThatIsNamedHoldsTheSlots(int slots) {
    ByteSize named = MemoryPlan.holding(ByteSize.ofMebibytes(128).times(slots));
    long engine = Math.clamp(named.mebibytes() / 2, 192, 544);

    assertThat(of(new NodeCapacity(named, 2), plan(engine), "--container-num=" + slots))
        .isNotNull();
  }

  @Test
  void whatIsReservedBySettingStaysWhenMemoryGrows() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> of(MACHINE, plan(512), "--reserved-memory=1124MiB"))
        .withMessageEndingWith(
            "(expected: at most 0B, which is 1124MiB less 1124MiB for the engine). Hint: 2404MiB of"
                + " memory");
  }

  private static MemoryPlan plan(long mebibytes) {
    ByteSize heap = ByteSize.ofMebibytes(mebibytes - 128 - 26);
    return new MemoryPlan(heap, ByteSize.ofMebibytes(26), 1024);
  }

  private static FuncletResource of(NodeCapacity found, String... args) {
    return of(found, plan(512), args);
  }

  private static FuncletResource of(NodeCapacity found, MemoryPlan plan, String... args) {
    return NodeResources.of(FuncletConfig.parse(List.of(args), Map.of()), found, plan);
  }
}
