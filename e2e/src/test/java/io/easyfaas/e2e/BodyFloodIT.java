package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Clients that send or ask for as many bytes as they may, all at once, and some that stop halfway.
@EndToEnd
final class BodyFloodIT {
  private static final int MEBIBYTE = 1 << 20;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private EngineProcess engine;
  private Siege siege;

  @BeforeEach
  void startEngine() {
    engine = LEAKS.startShipped("--container-num=6");
    siege =
        new Siege(
            engine, Innocent.modest(engine), Innocent.browser(engine), Innocent.large(engine));
  }

  @Test
  void sixtyRequestsOfFourMebibytesToTheTrigger() {
    engine.create(
        FunctionSpec.node("sink", "exports.handler = async (e) => String(e.body.length);")
            .withTimeout(60));
    int size = 4 * MEBIBYTE;
    String head = RawClient.request("sink", size);

    siege.survives(() ->
        Wave.assertServedOrRefused(
            Wave.roll(engine.home().triggerPort(), 60, head, size), ("" + size).length()));
  }

  @Test
  void bodiesOfWhichTheLastByteDoesNotCome() {
    byte[] most = "b".repeat(6 * MEBIBYTE - 1).getBytes(ISO_8859_1);

    siege.survives(() -> {
      List<RawClient> clients = new ArrayList<>();
      try {
        List<CompletableFuture<Void>> sending = new ArrayList<>();
        for (int i = 0; i < 45; i++) {
          RawClient client = RawClient.connect(engine.home().port());
          clients.add(client);
          client.send(RawClient.invocation("large", 6 * MEBIBYTE));
          sending.add(inBackground(() -> client.send(most)));
        }
        sending.forEach(sent -> sent.completeOnTimeout(null, 10, TimeUnit.SECONDS).join());
        Siege.hold();
      } finally {
        clients.forEach(RawClient::close);
      }
    });
  }

  @Test
  void bodiesThatAreSaidToBeLargeAndDoNotCome() {
    engine.create(
        FunctionSpec.node("sized", "exports.handler = async (event) => event.length;")
            .withTimeout(30));
    byte[] event = ('"' + "e".repeat(3_000_000) + '"').getBytes(ISO_8859_1);

    siege.survives(clients -> {
      try (RawClient honest = RawClient.connect(engine.home().port())) {
        for (int i = 0; i < 11; i++) {
          RawClient client = RawClient.connect(engine.home().port());
          clients.add(client);
          client.send(RawClient.invocation("account-" + i, "sized", 6_000_000)).send(event[0] + "");
        }
        RawClient.Reply reply =
            honest
                .send(RawClient.invocation("sized", event.length))
                .send(event)
                .read(Duration.ofSeconds(20));
        assertThat(reply.text()).describedAs("%s", reply).isEqualTo("3000000");
      }
    });
  }

  @Test
  void documentsOfWhichTheEndDoesNotCome() {
    String tooMany = variables(90_000);
    String most = variables(3_900);

    siege.survives(clients -> {
      for (int i = 0; i < 60; i++) {
        RawClient client = RawClient.connect(engine.home().registryPort());
        clients.add(client);
        String variables = i % 2 == 0 ? most : tooMany;
        client.send(upload("account-" + i, "application/json", MEBIBYTE + variables.length()));
        CompletableFuture<Void> _ = inBackground(() -> client.send(variables));
      }
      Siege.hold();
    });
  }

  private static String variables(int count) {
    return IntStream.range(0, count)
        .mapToObj(number -> "\"v" + number + "\":\"\"")
        .collect(Collectors.joining(",", "{\"Environment\":{\"Variables\":{", ""));
  }

  @Test
  void uploadsThatAreBegunAndLeft() {
    siege.survives(clients -> {
      for (int i = 0; i < 1500; i++) {
        RawClient client = RawClient.connect(engine.home().registryPort());
        clients.add(client);
        client.send(upload("account-" + i, "application/zip", 40 * MEBIBYTE));
        CompletableFuture<Void> _ = inBackground(() -> client.send("PK\3\4" + "z".repeat(2000)));
      }
      Siege.hold();
    });
  }

  private static String upload(String account, String type, int length) {
    return "POST /v1/functions/left HTTP/1.1\r\nHost: x\r\nX-Easyfaas-Account-Id: "
        + account
        + "\r\nContent-Type: "
        + type
        + "\r\nContent-Length: "
        + length
        + "\r\n\r\n";
  }

  @Test
  void answersThatNobodyReads() {
    engine.create(
        FunctionSpec.node(
                "source", "const answer = 'x'.repeat(5e6); exports.handler = async () => answer;")
            .withTimeout(30));

    siege.survives(clients -> {
      long end = System.nanoTime() + Duration.ofSeconds(15).toNanos();
      for (int i = 0; i < 60; i++) {
        RawClient client = RawClient.connectNarrow(engine.home().port());
        clients.add(client);
        client.send(RawClient.invocation("source", 0));
        // When it begins to come all of it is in the engine.
        boolean _ = client.awaitsAnswer(Duration.ofNanos(end - System.nanoTime()));
      }
      Siege.hold();
    });
  }

  @Test
  void answersThatGrowWhenTheyAreEscaped() {
    engine.create(
        FunctionSpec.node("escapes", "exports.handler = async () => '\\x01'.repeat(6_800_000);")
            .withQuota(8)
            .withMemory(256)
            .withTimeout(30));

    String head = RawClient.invocation("escapes", 2).replace("?", "?logType=Tail&logToBody=true&");

    siege.survives(() ->
        Wave.assertServedOrRefused(Wave.roll(engine.home().port(), 8, head, 2), 6 * 6_800_000));

    Answer whole = engine.invoke("escapes", "{}", "Log-Type", "Tail", "Log-To-Body", "true");
    assertThat(whole.json().get("Payload").asString()).hasSize(6_800_000);
  }

  private static CompletableFuture<Void> inBackground(Runnable step) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            step.run();
          } catch (UncheckedIOException _) {
            // The engine did not want it, or the flood is over.
          }
        },
        task -> Thread.ofVirtual().start(task));
  }
}
