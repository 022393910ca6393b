package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Two engines with different ports and directories on one machine do not know of each other.
@EndToEnd
final class TwoEnginesIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void bothServeAndTheEndOfOneDoesNotDisturbTheOther() {
    EngineProcess one = LEAKS.start("--container-num=1");
    EngineProcess two = LEAKS.start("--container-num=1", "--freeze-after=0s");
    one.create(FunctionSpec.node("who", "exports.handler = async () => 'one';"));
    two.create(FunctionSpec.node("who", "exports.handler = async () => 'two';"));

    assertThat(one.call("who", "{}")).isEqualTo("one");
    assertThat(two.call("who", "{}")).isEqualTo("two");
    List<ProcessHandle> sandboxesOfTwo = two.launcher().descendants().toList();

    one.close();
    LEAKS.assertNothingLeft(one);

    assertThat(sandboxesOfTwo).allMatch(ProcessHandle::isAlive);
    assertThat(two.call("who", "{}")).isEqualTo("two");

    EngineProcess again = one.home().start("--container-num=1");
    assertThat(again.call("who", "{}")).isEqualTo("one");
    again.kill9();
    LEAKS.assertNoProcessOutlives(again);

    assertThat(sandboxesOfTwo).allMatch(ProcessHandle::isAlive);
    assertThat(two.call("who", "{}")).isEqualTo("two");
    EngineProcess last = one.home().start("--container-num=1");
    assertThat(last.call("who", "{}")).isEqualTo("one");
    assertThat(two.call("who", "{}")).isEqualTo("two");
  }
}
