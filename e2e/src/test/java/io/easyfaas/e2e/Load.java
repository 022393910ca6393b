package io.easyfaas.e2e;

import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// Calls one function without pause, and stores copies of it under new names, until it is closed or
/// the engine dies.
final class Load implements AutoCloseable {
  private static final Duration ENDS = Duration.ofSeconds(10);

  private final AtomicBoolean stopped = new AtomicBoolean();
  private final Set<String> stored = new ConcurrentSkipListSet<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger answered = new AtomicInteger();

  /// Starts it.
  ///
  /// @param function answers with its name
  /// @param round part of the names of the copies
  Load(EngineProcess engine, FunctionSpec function, int round) {
    for (int i = 0; i < 4; i++) {
      start(() -> {
        if (engine.invoke(function.name(), "{}").text().equals(function.name())) {
          answered.incrementAndGet();
        }
      });
    }
    start(() -> {
      String name = function.name() + "-stored-" + round + "-" + stored.size();
      Answer answer =
          engine.send(
              engine
                  .registry("/v1/functions/" + name)
                  .POST(BodyPublishers.ofString(function.document())));
      if (answer.status() == 200) {
        stored.add(name);
      }
    });
  }

  /// Calls that were answered right.
  int answered() {
    return answered.get();
  }

  /// Functions whose storing was answered.
  Set<String> stored() {
    return stored;
  }

  @Override
  public void close() {
    stopped.set(true);
    for (Thread thread : threads) {
      try {
        thread.join(ENDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError(e);
      }
    }
  }

  private void start(Runnable step) {
    threads.add(
        Thread.ofVirtual()
            .start(() -> {
              try {
                while (!stopped.get()) {
                  step.run();
                }
              } catch (UncheckedIOException _) {
                // The engine was killed.
              }
            }));
  }
}
