package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/// Many clients that send the same request at once, again and again for a while, and drop what they
/// are answered.
///
/// They run in a process of their own with the lowest priority: clients are elsewhere, and do not
/// take the processors that the engine and the innocents' own calls run on.
final class Wave {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LOWEST = "19"; // nice(1)

  /// What a request was answered with.
  record Outcome(int status, boolean saysWhenToComeAgain, long bytes) {}

  private final Map<Outcome, LongAdder> outcomes = new ConcurrentHashMap<>();

  private Wave() {}

  /// Runs one.
  ///
  /// @param clients how many there are
  /// @param head of the request
  /// @param bodyBytes of the request, which the head has told
  /// @return what was answered and how often, in order of status
  static Map<Outcome, Integer> roll(int port, int clients, String head, int bodyBytes) {
    List<String> command =
        List.of(
            "nice",
            "-n",
            LOWEST,
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xmx128m",
            "-cp",
            System.getProperty("java.class.path"),
            Wave.class.getName(),
            "" + port,
            "" + clients,
            "" + Siege.HEIGHT.toMillis(),
            "" + bodyBytes,
            head);
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), UTF_8);
      assertThat(process.waitFor()).describedAs("a wave, which says: %s", said).isZero();
      return said.lines()
          .map(line -> line.split(" ", -1))
          .collect(
              Collectors.toMap(
                  word ->
                      new Outcome(
                          Integer.parseInt(word[0]),
                          Boolean.parseBoolean(word[1]),
                          Long.parseLong(word[2])),
                  word -> Integer.parseInt(word[3])));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /// Checks that every request was served with a body of some size, or refused with the word when
  /// to come again, and that one at least was served.
  static void assertServedOrRefused(Map<Outcome, Integer> outcomes, long leastBytes) {
    assertThat(outcomes.keySet())
        .describedAs("%s", outcomes)
        .allMatch(outcome ->
            outcome.status() == 200
                ? outcome.bytes() >= leastBytes
                : Set.of(429, 503).contains(outcome.status()) && outcome.saysWhenToComeAgain())
        .anyMatch(outcome -> outcome.status() == 200);
  }

  /// The process.
  public static void main(String... arguments) {
    int port = Integer.parseInt(arguments[0]);
    int clients = Integer.parseInt(arguments[1]);
    long end = System.nanoTime() + Duration.ofMillis(Long.parseLong(arguments[2])).toNanos();
    byte[] body = "b".repeat(Integer.parseInt(arguments[3])).getBytes(ISO_8859_1);
    Wave wave = new Wave();
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      all.add(
          CompletableFuture.runAsync(
              () -> {
                do {
                  wave.ask(port, arguments[4], body);
                } while (System.nanoTime() < end);
              },
              task -> Thread.ofPlatform().start(task)));
    }
    all.forEach(CompletableFuture::join);
    new TreeMap<>(
            wave.outcomes.entrySet().stream()
                .collect(
                    Collectors.toMap(
                        each ->
                            each.getKey().status()
                                + " "
                                + each.getKey().saysWhenToComeAgain()
                                + " "
                                + each.getKey().bytes(),
                        each -> each.getValue().intValue())))
        .forEach((outcome, times) -> System.out.println(outcome + " " + times));
  }

  private void ask(int port, String head, byte[] body) {
    try (RawClient client = RawClient.connect(port)) {
      long[] bytes = {0};
      RawClient.Reply reply =
          client.send(head).send(body).readOver(PATIENCE, count -> bytes[0] = count);
      boolean saysWhen = reply.header("Retry-After").isPresent();
      outcomes
          .computeIfAbsent(new Outcome(reply.status(), saysWhen, bytes[0]), _ -> new LongAdder())
          .increment();
    }
  }
}
