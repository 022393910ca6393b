package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.CallOutput;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a log says of output that is too much to be kept.
class CallLogTest {
  private final ResolvedFunction function =
      ResolvedFunction.of(
          FakeRegistry.document("f", "brn:f", Traits.of("echo")),
          new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of()));
  private final ByteBudget budget = new ByteBudget(1 << 20);
  private final CallLog log =
      new CallLog(function, "R1", true, 0, budget.open(ByteKind.OUTPUT, "me"));

  @Test
  void aTailThatIsAllOfTheOutputSaysNothing() {
    print("hello");

    assertThat(log.tail(1)).startsWith("START RequestID: R1 Version: 1\nhello\nEND RequestID: R1");
  }

  @Test
  void aTailBeginsWithHowMuchItLacks() {
    print("x".repeat(5000));

    assertThat(log.tail(1))
        .startsWith(
            "START RequestID: R1 Version: 1\n"
                + "CUT 904 bytes of output before this are left out\nxxx");
  }

  @Test
  void threeMillionTinyPrintsTakeNoMoreMemoryThanThereIsAndAreCounted() throws Exception {
    ResolvedFunction kept =
        ResolvedFunction.of(
            FakeRegistry.document("f", "brn:f", Traits.of("echo").logged()),
            new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of()));
    CallLog loud = new CallLog(kept, "R1", true, 0, budget.open(ByteKind.OUTPUT, "me"));
    ByteBuf tiny = Unpooled.copiedBuffer("a\n", UTF_8);
    for (int i = 0; i < 3_000_000; i++) {
      loud.add(i % 2 == 0, tiny, i / 1000);
    }

    assertThat(budget.usage().reserved()).isPositive().isLessThanOrEqualTo(1 << 20);
    CallOutput output = requireNonNull(loud.output("c0", "generic", 0, 200, 1, 0));
    assertThat(output.transcript().memoryBytes()).isLessThanOrEqualTo(1 << 20);
    assertThat(output.transcript().cutBytes()).isGreaterThan(4_000_000);
    loud.close();
    assertThat(budget.usage().reserved()).isZero();
  }

  private void print(String text) {
    log.add(false, Unpooled.copiedBuffer(text, UTF_8), 0);
  }
}
