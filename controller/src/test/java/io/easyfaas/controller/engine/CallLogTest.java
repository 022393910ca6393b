package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a log says of output that is too much to be kept.
class CallLogTest {
  private final ResolvedFunction function =
      ResolvedFunction.of(
          FakeRegistry.document("f", "brn:f", Traits.of("echo")),
          new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of()));
  private final CallLog log = new CallLog(function, "R1", true, 0);

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

  private void print(String text) {
    log.add(false, Unpooled.copiedBuffer(text, UTF_8), 0);
  }
}
