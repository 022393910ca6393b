package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.wire.ApiException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FunctionAnswerTest {
  private static final String REQUEST_ID = "X-Easyfaas-Request-Id";
  private static final String EXEC_TIME = "X-Easyfaas-Function-Exectime";

  @Test
  void aFailingControllerIsABadGateway() {
    HttpResponse response = FunctionAnswer.toHttp(controller(500, "{\"Code\":\"x\"}"));

    assertThat(response.status()).isEqualTo(502);
    assertThat(response.text())
        .isEqualTo(
            "{\"Code\":\"InternalException\",\"Cause\":\"{\\\"Code\\\":\\\"x\\\"}\","
                + "\"Message\":\"Internal Error\",\"Status\":502,\"Type\":\"Server\"}");
    assertThat(response.header(REQUEST_ID)).contains("rid");
  }

  @ParameterizedTest
  @ValueSource(ints = {201, 202, 400, 403, 404, 413, 429})
  void anyOtherStatusOfTheControllerIsPassedThrough(int status) {
    HttpResponse answer =
        controller(status, "{\"Code\":\"y\"}")
            .withHeader("Retry-After", "1")
            .withHeader("Connection", "close")
            .withHeader("Content-Length", "3");

    HttpResponse response = FunctionAnswer.toHttp(answer);

    assertThat(response.status()).isEqualTo(status);
    assertThat(response.text()).isEqualTo("{\"Code\":\"y\"}");
    assertThat(response.header("Retry-After")).contains("1");
    assertThat(response.headers()).doesNotContainKeys("Connection", "Content-Length");
  }

  @Test
  void aFailedFunctionIs500WithMessageAndTypeButNoStack() {
    HttpResponse answer =
        controller(
                200,
                "{\"errorMessage\":\"boom\",\"errorType\":\"TypeError\",\"stackTrace\":[\"at x\"]}")
            .withHeader("X-Easyfaas-Function-Error", "Unhandled");

    HttpResponse response = FunctionAnswer.toHttp(answer);

    assertThat(response.status()).isEqualTo(500);
    assertThat(response.text())
        .isEqualTo("{\"errorMessage\":\"boom\",\"errorType\":\"TypeError\"}");
    assertThat(response.header("Content-Type")).contains("application/json; charset=utf-8");
    assertThat(response.header("x-easyfaas-function-error")).contains("Unhandled");
    assertThat(response.header(REQUEST_ID)).contains("rid");
    assertThat(response.header(EXEC_TIME)).contains("1.5");
  }

  @Test
  void aFailureThatIsNoErrorObjectIsABadGateway() {
    HttpResponse answer =
        controller(200, "RequestID: r Process exited before completing request")
            .withHeader("X-Easyfaas-Function-Error", "Unhandled");

    assertThatThrownBy(() -> FunctionAnswer.toHttp(answer))
        .isInstanceOf(ApiException.class)
        .hasMessage("BadGatewayException: RequestID: r Process exited before completing request");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Hello world!", "", "{broken", "[1,2]", "\"text\"", "42", "null", "true"})
  void whatIsNoJsonObjectIsTheTextOfA200(String body) {
    HttpResponse response = FunctionAnswer.toHttp(controller(200, body));

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text()).isEqualTo(body);
    assertThat(response.header("Content-Type")).contains("text/plain");
    assertThat(response.header(EXEC_TIME)).contains("1.5");
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
    HttpResponse response = FunctionAnswer.toHttp(controller(200, body));

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text()).isEqualTo(body);
    assertThat(response.header("Content-Type")).contains("application/json");
  }

  @Test
  void aResponseHasItsOwnStatusHeadersAndBody() {
    HttpResponse response =
        answered(
            "{\"statusCode\":404,\"headers\":{\"content-type\":\"text/html\",\"X-N\":1,\"X-B\":true,"
                + "\"X-Null\":null},\"body\":\"<p>é\",\"isBase64Encoded\":false}");

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
          {"statusCode":200,"isBase64Encoded":true,"body":"a!"}     | body: not base64: Illegal base64 character 21 (expected: base64, as isBase64Encoded says)
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

  @Test
  void neverPassesOnWhatWouldBreakTheConnection() {
    HttpResponse response =
        answered(
            "{\"statusCode\":200,\"body\":\"x\",\"headers\":{\"Transfer-Encoding\":\"chunked\","
                + "\"CONTENT-LENGTH\":\"99\",\"connection\":\"close\",\"A\":\"b\"}}");

    assertThat(response.headers()).containsOnlyKeys("A", "Content-Type", REQUEST_ID);
  }

  private static HttpResponse answered(String body) {
    return FunctionAnswer.toHttp(controller(200, body));
  }

  private static HttpResponse controller(int status, String body) {
    return new HttpResponse(
        status, Map.of(REQUEST_ID, "rid", EXEC_TIME, "1.5"), body.getBytes(UTF_8));
  }
}
