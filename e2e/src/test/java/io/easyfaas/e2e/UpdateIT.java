package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A function that is changed again and again while it is called.
@EndToEnd
final class UpdateIT {
  private static final Duration LASTS = Duration.ofSeconds(5);
  private static final int UPDATERS = 3;
  private static final int CALLERS = 8;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void noCallFailsWhileThreeUpdateTheFunction() {
    EngineProcess engine = LEAKS.start("--container-num=3");
    engine.create(revision(0));
    assertThat(engine.call("changing", "{}")).isEqualTo("revision 0");
    AtomicInteger revisions = new AtomicInteger();
    Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    long end = System.nanoTime() + LASTS.toNanos();

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < UPDATERS; i++) {
        threads.execute(() -> {
          while (System.nanoTime() < end) {
            update(engine, revision(revisions.incrementAndGet()));
          }
        });
      }
      for (int i = 0; i < CALLERS; i++) {
        threads.execute(() -> {
          while (System.nanoTime() < end) {
            answers.add(engine.invoke("changing", "{}"));
          }
        });
      }
    }

    List<Answer> failed =
        answers.stream().filter(answer -> !answer.text().startsWith("revision ")).toList();
    assertThat(failed)
        .describedAs("of %d calls during %d updates", answers.size(), revisions.get())
        .isEmpty();
    assertThat(revisions.get()).isGreaterThan(UPDATERS);
  }

  private static void update(EngineProcess engine, FunctionSpec function) {
    Answer answer =
        engine.send(
            engine
                .registry("/v1/functions/" + function.name())
                .PUT(BodyPublishers.ofString(function.document())));
    assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200);
  }

  private static FunctionSpec revision(int number) {
    return FunctionSpec.node("changing", "exports.handler = async () => 'revision " + number + "';")
        .withTimeout(20);
  }
}
