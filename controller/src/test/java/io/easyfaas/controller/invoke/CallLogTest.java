package io.easyfaas.controller.invoke;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.CallOutput.Chunk;
import io.easyfaas.controller.userlog.CallOutput.Source;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a log says of output that is too much to be kept.
class CallLogTest {
  private static final String MEBIBYTE = ("x".repeat(1023) + "\n").repeat(1024);

  private final ResolvedFunction function =
      ResolvedFunction.of(
          FakeRegistry.document("f", "brn:f", Traits.of("echo").logged()),
          new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of()));
  private final CallLog log = new CallLog(function, "R1", true, 0);

  @Test
  void aTailThatIsAllOfTheOutputSaysNothing() {
    print("hello");

    assertThat(log.tail(1)).startsWith("START RequestID: R1 Version: 1\nhello\nEND RequestID: R1");
    assertThat(kept(Source.FAAS)).doesNotContain("left out");
  }

  @Test
  void aTailBeginsWithHowMuchItLacks() {
    print("x".repeat(5000));

    assertThat(log.tail(1))
        .startsWith("START RequestID: R1 Version: 1\n[904 bytes of output left out]\nxxx");
    assertThat(kept(Source.FAAS)).doesNotContain("left out");
  }

  @Test
  void aUserLogEndsWithHowMuchItLacks() {
    for (int i = 0; i < 8; i++) {
      print(MEBIBYTE);
    }

    int leftOut = (8 << 20) - kept(Source.STDOUT).length();
    assertThat(leftOut).isPositive();
    assertThat(kept(Source.FAAS)).contains("[" + leftOut + " bytes of output left out]\nEND ");
  }

  private void print(String text) {
    log.add(false, Unpooled.copiedBuffer(text, UTF_8), 0);
  }

  private String kept(Source source) {
    StringBuilder text = new StringBuilder();
    for (Chunk chunk : requireNonNull(log.output("c0", "generic", 0, 200, 1, 0)).chunks()) {
      if (chunk.source() == source) {
        text.append(new String(chunk.text(), UTF_8));
      }
    }
    return text.toString();
  }
}
