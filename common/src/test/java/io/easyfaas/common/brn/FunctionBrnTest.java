package io.easyfaas.common.brn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FunctionBrnTest {
  private static final String HASH = "8f6e5a28c663957ea04522547a66d08f";
  private static final String HELLO = "brn:cloud:faas:bj:" + HASH + ":function:hello";

  @ParameterizedTest
  @ValueSource(
      strings = {
        HELLO,
        HELLO + ":1",
        HELLO + ":$LATEST",
        HELLO + ":live",
        "brn:cloud-private:faas:gz02:" + HASH + ":function:a-b_C9:1"
      })
  void writesWhatItRead(String text) {
    assertThat(FunctionBrn.parse(text)).hasToString(text);
  }

  @Test
  void readsEveryPart() {
    FunctionBrn brn = FunctionBrn.parse("brn:cloudX:faas:gz:" + HASH + ":function:hello:12");

    assertThat(brn)
        .isEqualTo(new FunctionBrn("cloudX", "gz", HASH, "hello", new Qualifier.Version("12")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          urn:cloud:faas:bj:H:function:f        | brn: invalid prefix
          hello                                 | brn: invalid prefix
          brn                                   | brn: not enough sections
          brn:cloud:faas:bj:H                   | brn: not enough sections
          brn:bce:faas:bj:H:function:f          | partition: "bce"
          brn:cloud:bos:bj:H:function:f         | service: "bos"
          brn:cloud:faas:BJ:H:function:f        | region: "BJ"
          brn:cloud:faas:b:H:function:f         | region: "b"
          brn:cloud:faas:bj:abc:function:f      | account: "abc"
          brn:cloud:faas:bj:H:layer:f           | resource: "layer:f"
          brn:cloud:faas:bj:H:function          | resource: "function"
          brn:cloud:faas:bj:H:function:f:1:2    | resource: "function:f:1:2"
          brn:cloud:faas:bj:H:function:a/b      | function name: "a/b"
          brn:cloud:faas:bj:H:function:..       | function name: ".."
          brn:cloud:faas:bj:H:function::1       | function name: ""
          brn:cloud:faas:bj:H:function:f:       | qualifier: ""
          """)
  void namesThePartThatIsWrong(String text, String message) {
    assertThatThrownBy(() -> FunctionBrn.parse(text.strip().replace("H", HASH)))
        .isInstanceOf(InvalidBrnException.class)
        .hasMessageContaining(message.strip());
  }

  @ParameterizedTest
  @CsvSource({
    "hello, hello",
    "hello:1, hello:1",
    "hello:$LATEST, hello:$LATEST",
    HASH + ":hello, hello",
    HASH + ":hello:2, hello:2",
  })
  void completesPartialNamesForTheirCaller(String text, String expected) {
    assertThat(FunctionBrn.resolve(text, Account.DEFAULT))
        .hasToString("brn:cloud:faas:bj:" + HASH + ":function:" + expected);
  }

  @Test
  void leavesAFullBrnAsItIs() {
    assertThat(FunctionBrn.resolve(HELLO + ":3", new Account("somebody")))
        .hasToString(HELLO + ":3");
  }

  @Test
  void refusesAPartialNameOfAnotherAccount() {
    assertThatThrownBy(() -> FunctionBrn.resolve(HASH + ":hello:1", new Account("somebody")))
        .isInstanceOf(InvalidBrnException.class)
        .hasMessageContaining(HASH + ":hello:1");
  }

  @Test
  void takesALoneAccountHashForAName() {
    assertThat(FunctionBrn.resolve(HASH, Account.DEFAULT).name()).isEqualTo(HASH);
  }

  @ParameterizedTest
  @CsvSource({"hello, true", "a-b_C9, true", "'', false", "a.b, false", "a:b, false"})
  void tellsNamesFromOtherTexts(String text, boolean isName) {
    assertThat(FunctionBrn.isName(text)).isEqualTo(isName);
  }

  @Test
  void limitsTheLengthOfNames() {
    assertThat(FunctionBrn.isName("x".repeat(64))).isTrue();
    assertThat(FunctionBrn.isName("x".repeat(65))).isFalse();
  }

  @Test
  void changesTheQualifierAlone() {
    FunctionBrn brn = FunctionBrn.parse(HELLO);

    assertThat(brn.withQualifier(Qualifier.LATEST)).hasToString(HELLO + ":$LATEST");
    assertThat(brn.withQualifier(Qualifier.LATEST).withQualifier(brn.qualifier())).isEqualTo(brn);
  }
}
