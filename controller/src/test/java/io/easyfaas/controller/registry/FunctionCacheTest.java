package io.easyfaas.controller.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FunctionCacheTest {
  private static final String BRN =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:f:";

  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger asked = new AtomicInteger();
  private final Semaphore gate = new Semaphore(Integer.MAX_VALUE);
  private volatile String handler = "echo";
  private final RegistryClient registry =
      new RegistryClient() {
        @Override
        public FunctionDocument function(FunctionReference reference, String requestId) {
          asked.incrementAndGet();
          gate.acquireUninterruptibly();
          if (handler.isEmpty()) {
            throw new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "gone");
          }
          return FakeRegistry.document("f", reference.name(), Traits.of(handler));
        }

        @Override
        public RuntimeConfiguration runtime(String name, String requestId) {
          return new RuntimeConfiguration(name, "/bin/x", "/opt", List.of(), List.of());
        }
      };
  private final FunctionCache cache = cache(Duration.ofSeconds(1), 3);

  @Test
  void numberedVersionIsKeptTenMinutes() {
    cache.load(version("1"), "r");

    now.addAndGet(Duration.ofMinutes(10).toNanos() - 1);
    assertThat(cache.fresh(version("1"))).isPresent();
    now.addAndGet(1);

    assertThat(cache.fresh(version("1"))).isEmpty();
  }

  @Test
  void latestIsKeptAsLongAsIsSet() {
    cache.load(version("$LATEST"), "r");

    now.addAndGet(Duration.ofSeconds(1).toNanos() - 1);
    assertThat(cache.fresh(version("$LATEST"))).isPresent();
    now.addAndGet(1);

    assertThat(cache.fresh(version("$LATEST"))).isEmpty();
  }

  @Test
  void unchangedDocumentKeepsItsResult() {
    ResolvedFunction first = cache.load(version("$LATEST"), "r");
    now.addAndGet(Duration.ofSeconds(1).toNanos());

    assertThat(cache.load(version("$LATEST"), "r")).isSameAs(first);
  }

  @Test
  void changedDocumentIsSeenAfterItsTime() {
    cache.load(version("$LATEST"), "r");
    handler = "other";
    now.addAndGet(Duration.ofSeconds(1).toNanos());

    assertThat(cache.load(version("$LATEST"), "r").configuration().handler())
        .isEqualTo("index.other");
  }

  @Test
  void burstSharesOneQuestion() throws Exception {
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<ResolvedFunction>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(threads.submit(() -> cache.load(version("1"), "r")));
      }
      gate.release(100);

      ResolvedFunction first = all.getFirst().get();
      for (Future<ResolvedFunction> each : all) {
        assertThat(each.get()).isSameAs(first);
      }
    }
    assertThat(asked).hasValue(1);
  }

  @Test
  void zeroAsksForEveryCall() {
    FunctionCache never = cache(Duration.ZERO, 3);

    never.load(version("$LATEST"), "r");
    never.load(version("$LATEST"), "r");

    assertThat(asked).hasValue(2);
    assertThat(never.fresh(version("$LATEST"))).isEmpty();
  }

  @Test
  void failureIsNotKept() {
    handler = "";
    assertThatThrownBy(() -> cache.load(version("1"), "r")).isInstanceOf(ApiException.class);
    handler = "echo";

    assertThat(cache.load(version("1"), "r").name()).isEqualTo("f");
  }

  @Test
  void invalidatedFunctionIsAskedForAgain() {
    cache.load(version("1"), "r");
    cache.load(version("2"), "r");

    cache.invalidate(FunctionBrn.parse(BRN + "2"));

    assertThat(cache.fresh(version("1"))).isEmpty();
    assertThat(cache.fresh(version("2"))).isEmpty();
  }

  @Test
  void answerToAQuestionFromBeforeAnInvalidationIsNotKept() throws Exception {
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ResolvedFunction> running = threads.submit(() -> cache.load(version("1"), "r"));
      while (asked.get() == 0) {
        Thread.onSpinWait();
      }
      cache.invalidate(FunctionBrn.parse(BRN + "1"));
      gate.release();
      running.get();
    }

    assertThat(cache.fresh(version("1"))).isEmpty();
  }

  @Test
  void oldestEntryGoesWhenTheCacheIsFull() {
    for (int i = 1; i <= 4; i++) {
      cache.load(version(String.valueOf(i)), "r");
    }

    assertThat(cache.size()).isEqualTo(3);
    assertThat(cache.fresh(version("1"))).isEmpty();
    assertThat(cache.fresh(version("4"))).isPresent();
  }

  @Test
  void accountsDoNotShareEntries() {
    cache.load(version("1"), "r");

    assertThat(cache.fresh(new FunctionReference(BRN + "1", "", "somebody", ""))).isEmpty();
  }

  private FunctionCache cache(Duration latestTtl, int maxEntries) {
    return new FunctionCache(registry, latestTtl, maxEntries, now::get);
  }

  private static FunctionReference version(String version) {
    return new FunctionReference(BRN + version, "", "account", "");
  }
}
