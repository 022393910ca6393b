package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A tenant who calls his function again and again over a connection of his own, or a new one each
/// time, and knows what the answers must be: his own bytes, from the sandbox that answered before.
/// Not thread-safe.
final class Innocent {
  /// Not the one that floods.
  private static final String ACCOUNT = "innocent";

  /// Says which call of this sandbox it is, and repeats what it was sent.
  private static final String SOURCE =
      """
      let calls = 0;
      exports.handler = async (event) => {
        const { word, size } = event.body ? JSON.parse(event.body) : event;
        return `${++calls} ${word} ` + 'x'.repeat(size);
      };
      """;

  private static final Pattern COUNT = Pattern.compile("(\\d+) word-");
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int ENOUGH = 100;
  private static final int FAILURES_KEPT = 5;

  /// What became of some calls.
  ///
  /// @param nanos how long each took that was answered right
  /// @param failures what was wrong with the others, a few of them
  record Round(List<Long> nanos, List<String> failures) {
    /// The time that 99 of 100 calls did not exceed.
    Duration p99() {
      long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
      return sorted.length == 0
          ? Duration.ofDays(1)
          : Duration.ofNanos(sorted[(sorted.length - 1) * 99 / 100]);
    }

    @Override
    public String toString() {
      return nanos.size() + " calls, p99 " + p99().toMillis() + " ms, failures " + failures;
    }
  }

  private final String name;
  private final int port;
  private final boolean throughTrigger;
  private final int answerBytes;
  private final Duration pause;
  private boolean stays = true;
  private RawClient client;
  private int words;
  private int answered;

  private Innocent(
      EngineProcess engine, String name, boolean throughTrigger, int answerBytes, Duration pause) {
    this.name = name;
    this.port = throughTrigger ? engine.home().triggerPort() : engine.home().port();
    this.throughTrigger = throughTrigger;
    this.answerBytes = answerBytes;
    this.pause = pause;
    this.client = RawClient.connect(port);
    Answer created = engine.tryCreate(ACCOUNT, FunctionSpec.node(name, SOURCE).withTimeout(30));
    assertThat(created.status()).describedAs("%s", created).isEqualTo(200);
    List<String> failures = new ArrayList<>();
    call(new ArrayList<>(), failures); // The sandbox starts.
    assertThat(failures).isEmpty();
  }

  /// One who asks the controller for little, often.
  static Innocent modest(EngineProcess engine) {
    return new Innocent(engine, "modest", false, 10, Duration.ofMillis(5));
  }

  /// One who connects to the controller for each call.
  static Innocent newcomer(EngineProcess engine) {
    Innocent newcomer = new Innocent(engine, "newcomer", false, 10, Duration.ofMillis(20));
    newcomer.stays = false;
    return newcomer;
  }

  /// One who asks the HTTP trigger for little, often.
  static Innocent browser(EngineProcess engine) {
    return new Innocent(engine, "browser", true, 10, Duration.ofMillis(5));
  }

  /// One who asks the controller for 5 MB, now and then.
  static Innocent large(EngineProcess engine) {
    return new Innocent(engine, "large", false, 5_000_000, Duration.ofMillis(200));
  }

  String name() {
    return name;
  }

  /// Calls until told to stop, and often enough to tell.
  Round callUntil(AtomicBoolean stopped) {
    List<Long> nanos = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    while (!stopped.get()) {
      call(nanos, failures);
      LockSupport.parkNanos(pause.toNanos());
    }
    return new Round(nanos, failures);
  }

  /// Calls a hundred times, or for two seconds.
  Round call() {
    List<Long> nanos = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
    while (nanos.size() < ENOUGH && failures.isEmpty() && System.nanoTime() < end) {
      call(nanos, failures);
      LockSupport.parkNanos(pause.toNanos());
    }
    return new Round(nanos, failures);
  }

  private void call(List<Long> nanos, List<String> failures) {
    if (failures.size() == FAILURES_KEPT) {
      return;
    }
    String word = "word-" + ++words;
    byte[] event = ("{\"word\":\"" + word + "\",\"size\":" + answerBytes + "}").getBytes(US_ASCII);
    long start = System.nanoTime();
    try {
      if (!stays) {
        client.close();
        client = RawClient.connect(port);
      }
      String head =
          throughTrigger
              ? RawClient.request(ACCOUNT, name, event.length)
              : RawClient.invocation(ACCOUNT, name, event.length);
      RawClient.Reply reply = client.send(head).send(event).read(PATIENCE);
      long took = System.nanoTime() - start;
      String expected = (answered + 1) + " " + word + " " + "x".repeat(answerBytes);
      if (reply.status() == 200 && Arrays.equals(reply.body(), expected.getBytes(US_ASCII))) {
        nanos.add(took);
      } else {
        failures.add(name + " call " + (answered + 1) + " of " + word + ": " + reply);
      }
      answered = countOf(reply).orElse(answered);
    } catch (UncheckedIOException e) {
      failures.add(name + " " + word + ": " + e.getMessage());
      reconnect(failures);
    }
  }

  /// Which call of its sandbox an answer comes from.
  private static OptionalInt countOf(RawClient.Reply reply) {
    Matcher count = COUNT.matcher(reply.text());
    return count.lookingAt()
        ? OptionalInt.of(Integer.parseInt(count.group(1)))
        : OptionalInt.empty();
  }

  private void reconnect(List<String> failures) {
    client.close();
    try {
      client = RawClient.connect(port);
    } catch (UncheckedIOException e) {
      failures.add(name + " cannot connect: " + e.getMessage());
    }
  }
}
