package io.easyfaas.controller.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpRegistryTest {
  private static final String BRN =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:f:$LATEST";

  private final List<HttpRequest> requests = new CopyOnWriteArrayList<>();
  private volatile HttpResponse answer =
      HttpResponse.document(200, FakeRegistry.document("f", BRN, Traits.of("echo")));
  private final EventLoops loops = new EventLoops(1);
  private final HttpServer server =
      HttpServer.start(
          new HttpAddress.Tcp("127.0.0.1", 0),
          loops,
          1024,
          request -> {
            requests.add(request);
            return answer;
          });
  private final HttpClient client =
      new HttpClient(server.address(), loops, HttpRegistry.MAX_DOCUMENT_BYTES);
  private final HttpRegistry registry = new HttpRegistry(client, "v1/ote", Duration.ofSeconds(10));

  @AfterEach
  void stop() {
    client.close();
    server.close();
    loops.close();
  }

  @Test
  void brnIsAskedForAsItIs() {
    registry.function(new FunctionReference(BRN, "", "me", ""), "R1");

    HttpRequest request = requests.getFirst();
    assertThat(request.target()).isEqualTo("/v1/ote/functions/" + BRN);
    assertThat(request.header("X-Easyfaas-Request-Id")).hasValue("R1");
    assertThat(request.header("X-Easyfaas-Account-Id")).hasValue("me");
    assertThat(request.header("Authorization")).isEmpty();
  }

  @Test
  void plainNameIsAskedForWithItsQualifier() {
    registry.function(new FunctionReference("f", "$LATEST", "me", ""), "R1");

    assertThat(requests.getFirst().target()).isEqualTo("/v1/ote/functions/f?Qualifier=$LATEST");
  }

  @Test
  void authorizationIsPassedOn() {
    registry.function(new FunctionReference(BRN, "", "me", "Bearer x"), "R1");

    assertThat(requests.getFirst().header("Authorization")).hasValue("Bearer x");
  }

  @Test
  void runtimeIsAskedForByName() {
    answer =
        HttpResponse.json(200, "{\"Name\":\"n\",\"Bin\":\"/b\",\"Path\":\"/p\"}".getBytes(UTF_8));

    assertThat(registry.runtime("nodejs20", "R1").bin()).isEqualTo("/b");
    assertThat(requests.getFirst().target()).isEqualTo("/v1/ote/runtimes/nodejs20/configuration");
  }

  @Test
  void notFoundCarriesTheRegistrysText() {
    answer = HttpResponse.text(404, "no such function");

    assertThatThrownBy(() -> registry.function(new FunctionReference(BRN, "", "", ""), "R1"))
        .isInstanceOfSatisfying(
            ApiException.class,
            failure -> {
              assertThat(failure.code()).isEqualTo(ErrorCode.RESOURCE_NOT_FOUND);
              assertThat(failure.document().cause())
                  .isEqualTo("get function from data storer failed");
              assertThat(failure.document().backtrace().getFirst().message())
                  .isEqualTo("no such function");
            });
  }

  @Test
  void otherFailureIsTheEnginesOwn() {
    answer = HttpResponse.text(500, "bug");

    assertFails(ErrorCode.SERVICE, "registry answered 500: bug");
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 502, 503, 504})
  void registryThatIsNotThereNowMayBeAskedAgain(int status) {
    answer = HttpResponse.text(status, "later");

    assertFails(ErrorCode.UNAVAILABLE, "registry answered " + status + ": later");
  }

  @Test
  void answerThatIsNotADocumentIsNamed() {
    answer = HttpResponse.text(200, "<html>");

    assertFails(ErrorCode.SERVICE, "registry's answer: JSON: ");
  }

  @Test
  void documentWithoutAHandlerIsNamed() {
    answer =
        HttpResponse.json(
            200,
            Json.PASCAL
                .writeText(FakeRegistry.document("f", BRN, Traits.of("echo")))
                .replace("\"Handler\":\"index.echo\",", "")
                .getBytes(UTF_8));

    assertFails(ErrorCode.SERVICE, "registry's answer: no Configuration.Handler");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          "Timeout":3        | "Timeout":-5       | Configuration.Timeout: -5 (expected: 0 or more seconds)
          "Timeout":3        | "Timeout":"3"      | JSON: Configuration.Timeout: "3" (expected: a whole number) at line 1
          "Timeout":3        | "Timeout":3.5      | JSON: Configuration.Timeout: 3.5 (expected: a whole number) at line 1
          "Timeout":3        | "Timeout":99999999999 | JSON: Configuration.Timeout: 99999999999 (expected: a whole number from
          "MemorySize":128   | "MemorySize":-1    | Configuration.MemorySize: -1 (expected: 0 or more mebibytes)
          "MemorySize":128   | "MemorySize":true  | JSON: Configuration.MemorySize: true (expected: a whole number) at line 1
          "PodConcurrentQuota":1 | "PodConcurrentQuota":-1 | Configuration.PodConcurrentQuota: -1 (expected: 0 or more calls)
          "CodeSize":1       | "CodeSize":-1      | Configuration.CodeSize: -1 (expected: 0 or more bytes)
          "Tags":{}          | "Tags":{"a":null}  | JSON: Tags.a: null (expected: a text) at line 1
          "Tags":{}          | "Tags":[]          | JSON: Tags: a list (expected: an object) at line 1
          "Handler":"index.echo" | "Handler":["x"] | JSON: Configuration.Handler: a list (expected: a text) at line 1
          "Location":"/code/f.zip" | "X":1        | no Code.Location (expected: a function document)
          """)
  void documentThatIsOfNoUseIsNamed(String member, String instead, String message) {
    answerWith(member, instead);

    assertFails(ErrorCode.SERVICE, "registry's answer: " + message);
  }

  @Test
  void documentThatIsTooLargeIsTheRegistrysFault() {
    answerWith("\"Tags\":{}", "\"Tags\":{\"a\":\"" + "x".repeat(1 << 20) + "\"}");

    assertThatThrownBy(() -> registry.function(new FunctionReference(BRN, "", "", ""), "R1"))
        .isInstanceOfSatisfying(
            ApiException.class,
            failure -> {
              assertThat(failure.code()).isEqualTo(ErrorCode.SERVICE);
              assertThat(failure.document().backtrace().getFirst().message())
                  .isEqualTo(
                      "registry's answer: GET "
                          + server.address()
                          + requests.getFirst().target()
                          + ": the answer is too large (expected: at most 1MiB)");
            });
  }

  @Test
  void zeroesMeanTheDefaultsAndUnknownMembersNothing() {
    answerWith("\"MemorySize\":128", "\"MemorySize\":0,\"Layers\":[{\"Arn\":5}]");

    FunctionDocument document = registry.function(new FunctionReference(BRN, "", "", ""), "R1");

    assertThat(document.configuration().memoryMebibytesOrDefault()).isEqualTo(128);
  }

  @Test
  void registryThatIsNotThereIsNamed() {
    server.close();

    assertFails(ErrorCode.UNAVAILABLE, "connect to http://127.0.0.1:");
  }

  private void answerWith(String member, String instead) {
    String document = Json.PASCAL.writeText(FakeRegistry.document("f", BRN, Traits.of("echo")));
    assertThat(document).contains(member);
    answer = HttpResponse.json(200, document.replace(member, instead).getBytes(UTF_8));
  }

  private void assertFails(ErrorCode code, String text) {
    assertThatThrownBy(() -> registry.function(new FunctionReference(BRN, "", "", ""), "R1"))
        .isInstanceOfSatisfying(
            ApiException.class,
            failure -> {
              assertThat(failure.code()).isEqualTo(code);
              assertThat(failure.document().backtrace().getFirst().message()).startsWith(text);
            });
  }
}
