package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/// Functions as web pages: what a handler gets of a request, and what becomes of its answer.
@EndToEnd
final class TriggerIT {
  private static final String ECHO = "/" + EngineProcess.ACCOUNT + "/echo";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node(
                "echo",
                """
                exports.handler = async (event) => ({
                  statusCode: 200,
                  headers: { 'Content-Type': 'application/json' },
                  body: JSON.stringify(event),
                });
                """)
            .withQuota(10));
    engine.create(
        FunctionSpec.node("answers", "exports.handler = async (e) => JSON.parse(e.body);"));
  }

  @Test
  void theEventHasTheRequest() {
    Answer answer =
        engine.send(
            engine
                .trigger(ECHO + "?x=1&y=a%20b&x=2")
                .header("X-Own", "mine")
                .header("Content-Type", "text/plain")
                .PUT(BodyPublishers.ofString("the body")));

    assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200);
    JsonNode event = answer.json();
    assertThat(event.get("httpMethod").asString()).isEqualTo("PUT");
    assertThat(event.get("body").asString()).isEqualTo("the body");
    assertThat(event.at("/queryStringParameters/x").asString()).isEqualTo("2");
    assertThat(event.at("/queryStringParameters/y").asString()).isEqualTo("a b");
    assertThat(event.at("/headers/X-Own").asString()).isEqualTo("mine");
  }

  @Test
  void theVersionIsTheThirdSegment() {
    Answer published =
        engine.send(
            engine
                .registry("/v1/functions/echo/versions")
                .header("X-easyfaas-Account-Id", EngineProcess.ACCOUNT)
                .POST(BodyPublishers.noBody()));
    assertThat(published.status()).describedAs("%s", published).isBetween(200, 201);

    assertThat(engine.send(engine.trigger(ECHO + "/1?x=1").GET()).status()).isEqualTo(200);
    assertThat(engine.send(engine.trigger(ECHO + "/$LATEST").GET()).status()).isEqualTo(200);
    assertThat(engine.send(engine.trigger(ECHO + "/99").GET()).status()).isEqualTo(404);
  }

  @Test
  void aFullAnswerBecomesTheResponse() {
    Answer answer =
        answered(
            "{\"statusCode\":418,\"headers\":{\"X-Kind\":\"teapot\",\"Content-Type\":\"text/tea\"},"
                + "\"body\":\"short and stout\"}");

    assertThat(answer.status()).isEqualTo(418);
    assertThat(answer.header("X-Kind")).contains("teapot");
    assertThat(answer.header("Content-Type")).contains("text/tea");
    assertThat(answer.text()).isEqualTo("short and stout");
  }

  @Test
  void aBase64AnswerIsDecoded() {
    Answer answer = answered("{\"statusCode\":200,\"isBase64Encoded\":true,\"body\":\"AAECA/8=\"}");

    assertThat(answer.response().body()).containsExactly(0, 1, 2, 3, 255);
  }

  @Test
  void anObjectWithoutAStatusCodeIsJson() {
    Answer answer = answered("{\"just\":\"data\"}");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).get().asString().startsWith("application/json");
    assertThat(answer.json().get("just").asString()).isEqualTo("data");
    assertThat(answer.header("X-easyfaas-Request-Id")).isPresent();
  }

  @Test
  void aTextIsText() {
    Answer answer = answered("\"plain words\"");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).get().asString().startsWith("text/plain");
    assertThat(answer.text()).isEqualTo("plain words");
  }

  @Test
  void aFailingFunctionIsAServerError() {
    engine.create(
        FunctionSpec.node(
            "fails", "exports.handler = async () => { throw new Error('secret'); };"));

    Answer answer = engine.send(engine.trigger("/" + EngineProcess.ACCOUNT + "/fails").GET());

    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.json().get("errorMessage").asString()).isEqualTo("secret");
    assertThat(answer.text()).doesNotContain("stackTrace");
  }

  @Test
  void aFunctionThatExitsIsAServerError() {
    engine.create(FunctionSpec.node("exits", "exports.handler = async () => process.exit(1);"));

    Answer answer = engine.send(engine.trigger("/" + EngineProcess.ACCOUNT + "/exits").GET());

    assertThat(answer.status()).isBetween(500, 502);
    assertThat(answer.text()).contains("Process exited before completing request");
  }

  @Test
  void anUnknownFunctionIsNotFound() {
    Answer answer = engine.send(engine.trigger("/" + EngineProcess.ACCOUNT + "/nobody").GET());

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.json().get("Code").asString()).isEqualTo("ResourceNotFoundException");
  }

  @Test
  void anotherUsersFunctionIsNotFound() {
    assertThat(engine.send(engine.trigger("/somebody/echo").GET()).status()).isIn(403, 404);
  }

  @Test
  void everyMethodReachesTheFunction() {
    for (String method : new String[] {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      Answer answer = engine.send(engine.trigger(ECHO).method(method, BodyPublishers.ofString("")));

      assertThat(answer.json().get("httpMethod").asString()).isEqualTo(method);
    }
  }

  /// What the trigger makes of a function's answer.
  private static Answer answered(String functionsAnswer) {
    Answer answer =
        engine.send(
            engine
                .trigger("/" + EngineProcess.ACCOUNT + "/answers")
                .POST(BodyPublishers.ofString(functionsAnswer)));
    assertThat(answer.status()).describedAs("%s", answer).isLessThan(500);
    return answer;
  }
}
