package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FunctionAnswerTest {
  private static final String REQUEST_ID = "X-Easyfaas-Request-Id";
  private static final String EXEC_TIME = "X-Easyfaas-Function-Exectime";

  @Test
  void aFailedFunctionIs500WithMessageAndTypeButNoStack() {
    HttpResponse response =
        told(
            true,
            "{\"errorMessage\":\"boom\",\"errorType\":\"TypeError\",\"stackTrace\":[\"at x\"]}");

    assertThat(response.status()).isEqualTo(500);
    assertThat(response.text())
        .isEqualTo("{\"errorMessage\":\"boom\",\"errorType\":\"TypeError\"}");
    assertThat(response.header("Content-Type")).contains("application/json; charset=utf-8");
    assertThat(response.header("x-easyfaas-function-error")).contains("Unhandled");
    assertThat(response.header(REQUEST_ID)).contains("rid");
    assertThat(response.header(EXEC_TIME)).contains("1.500");
  }

  @Test
  void aFailureThatIsNoErrorObjectIsABadGateway() {
    assertThatThrownBy(() -> told(true, "RequestID: r Process exited before completing request"))
        .isInstanceOf(ApiException.class)
        .hasMessage("BadGatewayException: RequestID: r Process exited before completing request");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "42",
        "[]",
        "{\"errorMessage\":",
        "{\"errorMessage\":\"x\"} more",
        "{\"errorMessage\":{\"a\":1}}",
        "{\"errorType\":1}"
      })
  void anErrorThatIsNoTextIsABadGateway(String body) {
    assertThatThrownBy(() -> told(true, body))
        .isInstanceOf(ApiException.class)
        .hasMessageStartingWith("BadGatewayException");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}|{}",
        "{\"errorMessage\":null,\"errorType\":\"E\"}|{\"errorType\":\"E\"}",
        "{\"stackTrace\":[{\"errorType\":1}],\"errorMessage\":\"a\\u0022\\\\\"}"
            + "|{\"errorMessage\":\"a\\u0022\\\\\"}",
        "{\"errorType\":\"E\",\"errorMessage\":\"é\"}|{\"errorMessage\":\"é\",\"errorType\":\"E\"}",
        "{\"errorType\":\"E\",\"errorType\":\"F\"}|{\"errorType\":\"F\"}"
      })
  void anErrorKeepsItsTextsAndNothingElse(String body, String expected) {
    HttpResponse response = told(true, body);

    assertThat(response.status()).isEqualTo(500);
    assertThat(response.text()).isEqualTo(expected);
  }

  @Test
  void anErrorAsLongAsAnAnswerIsNotCopied() {
    String message = "x".repeat(5_000_000);
    ByteBuf answer =
        Unpooled.copiedBuffer("{\"errorMessage\":\"" + message + "\",\"errorType\":\"E\"}", UTF_8);
    TriggerResponse response =
        new FunctionAnswer(_ -> fail("no memory is needed"), "rid")
            .toHttp(new Receipt(true, 1_500_000, ""), answer);

    assertThat(answer.refCnt()).as("they are its bytes").isGreaterThan(1);
    assertThat(response.body().toString(UTF_8))
        .isEqualTo("{\"errorMessage\":\"" + message + "\",\"errorType\":\"E\"}");
    response.body().release();
    answer.release();
  }

  @Test
  void ofALongFailureThatIsNoErrorTheBeginningIsTold() {
    assertThatThrownBy(() -> told(true, "x".repeat(1_000_000)))
        .isInstanceOf(ApiException.class)
        .hasMessage("BadGatewayException: " + "x".repeat(1024) + "…");
  }

  @Test
  void moreHeadersThanAResponseCanHaveAreABadGateway() {
    assertThatThrownBy(() ->
            answered("{\"statusCode\":200,\"headers\":{\"a\":\"" + "x".repeat(32 * 1024) + "\"}}"))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("headers: 32769 characters or more (expected: at most 32768)");
  }

  @Test
  void ofHeadersWithoutNumberFewAreKept() {
    StringBuilder headers = new StringBuilder();
    for (int i = 0; i < 100_000; i++) {
      headers.append(i == 0 ? "" : ",").append('"').append(i).append("\":0");
    }
    ByteBuf answer =
        Unpooled.copiedBuffer("{\"statusCode\":200,\"headers\":{" + headers + "}}", UTF_8);

    assertThat(ResponseDocument.read(answer).headers()).hasSizeLessThan(32 * 1024 / 2);
    assertThatThrownBy(() -> answered(answer.toString(UTF_8)))
        .hasMessageContaining("or more (expected: at most 32768)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Hello world!", "", "{broken", "[1,2]", "\"text\"", "42", "null", "true"})
  void whatIsNoJsonObjectIsTheTextOfA200(String body) {
    HttpResponse response = answered(body);

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text()).isEqualTo(body);
    assertThat(response.header("Content-Type")).contains("text/plain");
    assertThat(response.header(EXEC_TIME)).contains("1.500");
  }

  @Test
  void aDocumentThatIsNotInUtf8IsNoResponse() {
    byte[] body = "{\"statusCode\":201,\"body\":\"x\"}".getBytes(UTF_16BE);

    HttpResponse response = told(false, body);

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.body()).isEqualTo(body);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"a\":1}",
        "{\"body\":\"x\"}",
        "{\"statusCode\":\"200\"}",
        "{\"statusCode\":99}",
        "{\"statusCode\":600}",
        "{\"statusCode\":200.5}",
        "{\"statusCode\":null}",
        "{\"statusCode\":200,\"body\":{\"a\":1}}",
        "{\"statusCode\":200,\"headers\":[]}"
      })
  void anObjectThatIsNoResponseIsTheJsonOfA200(String body) {
    HttpResponse response = answered(body);

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text()).isEqualTo(body);
    assertThat(response.header("Content-Type")).contains("application/json");
  }

  @Test
  void aResponseHasItsOwnStatusHeadersAndBody() {
    HttpResponse response =
        answered(
            "{\"statusCode\":404,\"headers\":{\"content-type\":\"text/html\",\"X-N\":1,\"X-B\":true,"
                + "\"X-Blanks\":\"\\t a b \",\"X-Null\":null},\"body\":\"<p>é\",\"isBase64Encoded\":false}");

    assertThat(response.status()).isEqualTo(404);
    assertThat(response.text()).isEqualTo("<p>é");
    assertThat(response.headers())
        .isEqualTo(
            Map.of(
                "content-type",
                "text/html",
                "X-N",
                "1",
                "X-B",
                "true",
                "X-Blanks",
                "a b",
                "X-Null",
                "",
                REQUEST_ID,
                "rid"));
  }

  @Test
  void aResponseMayHaveAStatusAlone() {
    HttpResponse response = answered("{\"statusCode\":204}");

    assertThat(response.status()).isEqualTo(204);
    assertThat(response.body()).isEmpty();
    assertThat(response.header("Content-Type")).isEmpty();
  }

  @Test
  void aResponseWithATextHasAType() {
    assertThat(answered("{\"statusCode\":200,\"body\":\"x\"}").header("Content-Type"))
        .contains("text/plain; charset=utf-8");
  }

  @Test
  void aResponseMayCarryBytes() {
    HttpResponse response =
        answered("{\"statusCode\":200,\"isBase64Encoded\":true,\"body\":\"AAEC/w==\"}");

    assertThat(response.body()).containsExactly(0, 1, 2, 255);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"statusCode":200,"isBase64Encoded":true,"body":"a!"}     | body: not base64: Illegal base64 character 0x21 (expected: base64, as isBase64Encoded says)
          {"statusCode":200,"headers":{"a b":"c"}}                  | headers: "a b" (expected: names and values RFC 9110 allows)
          {"statusCode":200,"headers":{"":"c"}}                     | headers: "" (expected: names and values RFC 9110 allows)
          {"statusCode":200,"headers":{"A":"b\\r\\nSet-Cookie: c"}} | headers: "A" (expected: names and values RFC 9110 allows)
          {"statusCode":200,"headers":{"A":["b"]}}                  | headers: "A" (expected: a text, number or boolean)
          {"statusCode":101}                                        | statusCode: 101 (expected: 200 to 599: 1xx is no final answer)
          """)
  void aResponseThatCannotBeSentIsABadGateway(String body, String cause) {
    assertThatThrownBy(() -> answered(body))
        .isInstanceOf(ApiException.class)
        .hasMessage("BadGatewayException: function response error: " + cause);
  }

  @ParameterizedTest
  @CsvSource({
    "a, 32766, 200",
    "a, 32767, 0",
    "é, 32766, 200",
    "\\u0041, 32766, 200",
    "a, 6000000, 0"
  })
  void aHeaderIsAsLongAsItsCharacters(String character, int count, int status) {
    String answer = "{\"statusCode\":200,\"headers\":{\"ab\":\"" + character.repeat(count) + "\"}}";
    if (status == 200) {
      assertThat(answered(answer).status()).isEqualTo(status);
    } else {
      assertThatThrownBy(() -> answered(answer))
          .isInstanceOf(ApiException.class)
          .hasMessageEndingWith("characters or more (expected: at most 32768)");
    }
  }

  @Test
  void aHeaderThatDoesNotEndIsNoResponse() {
    String answer = "{\"statusCode\":200,\"headers\":{\"a\":\"" + "a".repeat(70_000);
    assertThat(answered(answer).text()).isEqualTo(answer);
  }

  @Test
  @Timeout(20)
  void anAnswerOfManyBodiesTakesNoLongerThanAnother() {
    String answer = "{" + "\"body\":\"\",".repeat(500_000) + "\"statusCode\":200}";
    for (int i = 0; i < 20; i++) {
      assertThat(answered(answer).status()).isEqualTo(200);
    }
  }

  @Test
  @Timeout(20)
  void aHeaderOfBlanksTakesNoLongerThanAnother() {
    String value = "x" + " \\t".repeat(15_000) + "x";
    for (int i = 0; i < 20; i++) {
      answered("{\"statusCode\":200,\"headers\":{\"a\":\" " + value + " \"}}");
    }
  }

  @Test
  void neverPassesOnWhatWouldBreakTheConnection() {
    HttpResponse response =
        answered(
            "{\"statusCode\":200,\"body\":\"x\",\"headers\":{\"Transfer-Encoding\":\"chunked\","
                + "\"CONTENT-LENGTH\":\"99\",\"connection\":\"close\",\"A\":\"b\"}}");

    assertThat(response.headers()).containsOnlyKeys("A", "Content-Type", REQUEST_ID);
  }

  @Test
  void whatTheEngineSaysOfACallIsNotForTheFunctionToSay() {
    HttpResponse response =
        answered(
            "{\"statusCode\":200,\"body\":\"x\",\"headers\":{\"x-easyfaas-request-id\":\"forged\","
                + "\"X-EASYFAAS-Function-Error\":\"Unhandled\",\"X-Bce-Log-Result\":\"bG9n\","
                + "\"x-bce-request-id\":\"forged\",\"X-Amzn-ErrorType\":\"X\"}}");

    assertThat(response.headers()).containsOnlyKeys("Content-Type", REQUEST_ID);
    assertThat(response.header(REQUEST_ID)).contains("rid");
  }

  @Test
  void textsAreUnescapedHoweverTheyAreWritten() {
    assertThat(
            answered(
                    "{\"body\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83c\\udf89é🎉\\ud83cx\",\"statusCode\":200}")
                .text())
        .isEqualTo("\"\\/\b\f\n\r\té🎉é🎉\ufffdx");
  }

  @ParameterizedTest
  @ValueSource(strings = {"AAEC/w=", "A"})
  void whatBreaksOffIsNotBase64(String body) {
    assertThatThrownBy(() ->
            answered("{\"statusCode\":200,\"isBase64Encoded\":true,\"body\":\"" + body + "\"}"))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("body: not base64: ");
  }

  @Test
  void base64MayHaveEscapedSlashes() {
    assertThat(
            answered("{\"statusCode\":200,\"isBase64Encoded\":true,\"body\":\"AAEC\\/w==\"}")
                .body())
        .containsExactly(0, 1, 2, 255);
  }

  @Test
  void ofSeveralMembersWithOneNameTheLastCounts() {
    HttpResponse response =
        answered("{\"statusCode\":500,\"body\":\"a\",\"body\":\"b\",\"statusCode\":201}");

    assertThat(response.status()).isEqualTo(201);
    assertThat(response.text()).isEqualTo("b");
  }

  @Test
  void largeBodiesOfAllKindsComeWhole() {
    byte[] bytes = new byte[3 << 20];
    new Random(7).nextBytes(bytes);
    String text = "é\n\"".repeat(500_000);
    Map<String, Object> binary =
        Map.of(
            "statusCode",
            200,
            "isBase64Encoded",
            true,
            "body",
            Base64.getEncoder().encodeToString(bytes));
    Map<String, Object> plain = Map.of("statusCode", 200, "body", text);

    assertThat(answered(Json.CAMEL.writeText(binary)).body()).isEqualTo(bytes);
    assertThat(answered(Json.CAMEL.writeText(plain)).text()).isEqualTo(text);
  }

  private static HttpResponse answered(String body) {
    return told(false, body);
  }

  private static HttpResponse told(boolean failed, String body) {
    return told(failed, body.getBytes(UTF_8));
  }

  private static HttpResponse told(boolean failed, byte[] body) {
    ByteBuf answer = Unpooled.buffer().writeBytes(body);
    TriggerResponse response =
        new FunctionAnswer(FunctionAnswerTest::memory, "rid")
            .toHttp(new Receipt(failed, 1_500_000, ""), answer);
    HttpResponse copy =
        new HttpResponse(
            response.status(), response.headers(), ByteBufUtil.getBytes(response.body()));
    response.body().release();
    answer.release();
    assertThat(answer.refCnt()).isZero();
    return copy;
  }

  /// So many bytes and not one more.
  private static ByteBuf memory(int bytes) {
    return UnpooledByteBufAllocator.DEFAULT.directBuffer(bytes, bytes);
  }
}
