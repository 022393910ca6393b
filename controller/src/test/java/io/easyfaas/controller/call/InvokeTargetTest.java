package io.easyfaas.controller.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InvokeTargetTest {
  @Test
  void requestLineIsTakenApart() {
    assertThat(
            InvokeTarget.parse(
                "/v1/functions/f/invocations?a=b&Qualifier=%24LATEST&logType=Tail&logToBody=true"))
        .hasValue(new InvokeTarget("f", "$LATEST", "Tail", "true"));
  }

  @Test
  void lastOfSeveralValuesWins() {
    assertThat(InvokeTarget.parse("/v1/functions/f/invocations?Qualifier=1&&Qualifier=2&x"))
        .hasValue(new InvokeTarget("f", "2", "", ""));
  }

  @Test
  void slashesAtTheEndAndInARowChangeNothing() {
    assertThat(InvokeTarget.parse("//v1/functions//f/invocations//?Qualifier=1"))
        .hasValue(new InvokeTarget("f", "1", "", ""));
  }

  @Test
  void plusIsASpaceInTheQueryOnly() {
    assertThat(InvokeTarget.parse("/v1/functions/a+%41/invocations?Qualifier=a+b"))
        .hasValue(new InvokeTarget("a+A", "a b", "", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/functions//invocations",
        "/v1/functions/a/b/invocations",
        "/v1/functions/f",
        "/v2/functions/f/invocations",
        "/v1/functions/%z/invocations",
        "/",
        ""
      })
  void otherRequestLinesAreNotInvocations(String uri) {
    assertThat(InvokeTarget.parse(uri)).isEqualTo(Optional.empty());
  }
}
