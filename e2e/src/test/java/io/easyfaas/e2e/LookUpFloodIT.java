package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Questions to the function registry: more of them than the engine can keep the answers of, and
/// some that are never answered. The parts run as processes of their own here, so the registry can
/// stop while the others go on.
@EndToEnd
final class LookUpFloodIT {
  private static final int LOOK_UPS = 9000;
  private static final int CLIENTS = 10;
  private static final int WAITING = 350;
  private static final int MAX_QUEUE = 50;
  private static final Duration SOON = Duration.ofSeconds(20);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void largeDocumentsUnderChangingAccounts() {
    EngineProcess engine = SplitEngine.start(LEAKS.home()).controller();
    engine.create(
        FunctionSpec.node("large-document", "exports.handler = async () => 1;")
            .with("Tags", tags())
            // Escaped, it is six times as long.
            .withVariables(Map.of("E", "\u0001".repeat(4090))));

    new Siege(engine, Innocent.modest(engine))
        .survives(() -> {
          try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            int each = LOOK_UPS / CLIENTS;
            List<CompletableFuture<Void>> done =
                IntStream.range(0, CLIENTS)
                    .mapToObj(n ->
                        CompletableFuture.runAsync(() -> lookUp(engine, n * each, each), clients))
                    .toList();
            assertThat(done).allSatisfy(CompletableFuture::join);
          }
        });
  }

  @Test
  void aRegistryThatStoppedHoldsUpNoMoreCallsThanTheQueueHas() {
    SplitEngine parts = SplitEngine.start(LEAKS.home(), "--max-queue=" + MAX_QUEUE);
    EngineProcess engine = parts.controller();

    new Siege(engine, Innocent.modest(engine))
        .survives(() -> {
          parts.registry().signal("STOP");
          List<RawClient> clients = new ArrayList<>();
          try {
            for (int i = 0; i < WAITING; i++) {
              String call = RawClient.invocation("unknown-" + i, 0);
              clients.add(RawClient.connect(engine.home().port()).send(call));
            }

            // The last ones find the queue full.
            assertThat(clients.subList(WAITING - 100, WAITING))
                .allSatisfy(client -> {
                  RawClient.Reply reply = client.read(SOON);
                  assertThat(reply.status()).describedAs("%s", reply).isIn(429, 503);
                  assertThat(reply.header("Retry-After")).describedAs("%s", reply).isPresent();
                });
            Siege.hold();
          } finally {
            clients.forEach(RawClient::abort);
            parts.registry().signal("CONT");
          }
        });
  }

  private static void lookUp(EngineProcess engine, int first, int count) {
    try (RawClient client = RawClient.connect(engine.home().port())) {
      for (int i = first; i < first + count; i++) {
        RawClient.Reply reply =
            client
                .send(
                    "POST /v1/functions/"
                        + EngineProcess.brn("large-document", "$LATEST")
                        + "/invocations HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n"
                        + "X-easyfaas-Account-Id: account-"
                        + i
                        + "\r\n\r\n")
                .read(SOON);
        assertThat(reply.status()).describedAs("%s", reply).isIn(403, 429, 503);
      }
    }
  }

  private static Map<String, String> tags() {
    Map<String, String> tags = new LinkedHashMap<>();
    for (int i = 0; i < 50; i++) {
      tags.put("k".repeat(120) + i, "中".repeat(256));
    }
    return tags;
  }
}
