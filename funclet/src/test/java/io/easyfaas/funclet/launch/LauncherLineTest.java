package io.easyfaas.funclet.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.funclet.launch.LauncherLine.Answer;
import io.easyfaas.funclet.launch.LauncherLine.Event;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LauncherLineTest {
  @Test
  void anAnswerMayHaveAPid() {
    assertThat(LauncherLine.parse("{\"request\":7,\"slot\":\"c0\",\"ok\":true,\"pid\":4242}"))
        .contains(new Answer(7, new LaunchReport.Done(4242)));
    assertThat(LauncherLine.parse("{\"request\":7,\"slot\":\"c0\",\"ok\":true}"))
        .contains(new Answer(7, new LaunchReport.Done(0)));
  }

  @Test
  void aRefusalNamesStepErrorAndPath() {
    String line =
        "{\"request\":7,\"slot\":\"c0\",\"ok\":false,\"step\":\"mount-proc\",\"errno\":1,"
            + "\"error\":\"EPERM\",\"path\":\"/proc\"}";

    assertThat(LauncherLine.parse(line))
        .contains(new Answer(7, new LaunchReport.Refused("mount-proc", 1, "EPERM", "/proc")));
    assertThat(new LaunchReport.Refused("mount-proc", 1, "EPERM", "/proc").describe())
        .startsWith("mount-proc /proc: EPERM. Hint: the engine needs root");
  }

  @Test
  void anExitBySignalCountsAs128AndTheSignal() {
    assertThat(LauncherLine.parse("{\"event\":\"exited\",\"slot\":\"c0\",\"pid\":9,\"signal\":9}"))
        .contains(new Event(new LauncherEvent.Exited("c0", 9, 137, 9)));
    assertThat(LauncherLine.parse("{\"event\":\"exited\",\"slot\":\"c0\",\"pid\":9,\"code\":3}"))
        .contains(new Event(new LauncherEvent.Exited("c0", 9, 3, 0)));
  }

  @Test
  void membersWeDoNotKnowAreIgnored() {
    assertThat(LauncherLine.parse("{\"event\":\"gone\",\"slot\":\"c0\",\"open\":false}"))
        .contains(new Event(new LauncherEvent.Gone("c0")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "nonsense", "[]", "{}", "{\"event\":\"born\",\"slot\":\"c0\"}"})
  void whatIsNoLineOfTheProtocolIsNothing(String line) {
    assertThat(LauncherLine.parse(line)).isEmpty();
  }
}
