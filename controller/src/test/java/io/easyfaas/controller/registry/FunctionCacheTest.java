package io.easyfaas.controller.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class FunctionCacheTest {
  private static final String BRN =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:f:";
  private static final ByteSize LARGE = ByteSize.ofMebibytes(16);
  private static final Duration STALE = Duration.ofSeconds(60);
  private static final long LATER = Duration.ofDays(1).toNanos();

  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger asked = new AtomicInteger();
  private final Semaphore gate = new Semaphore(Integer.MAX_VALUE);
  private volatile String handler = "echo";
  private volatile ErrorCode failure = ErrorCode.RESOURCE_NOT_FOUND;
  private volatile int tagCharacters;
  private final RegistryClient registry =
      new RegistryClient() {
        @Override
        public FunctionDocument function(FunctionReference reference, String requestId) {
          String answer = handler;
          asked.incrementAndGet();
          gate.acquireUninterruptibly();
          if (answer.isEmpty()) {
            throw new ApiException(failure, "gone");
          }
          return tagged(FakeRegistry.document("f", reference.name(), Traits.of(answer)));
        }

        @Override
        public RuntimeConfiguration runtime(String name, String requestId) {
          return new RuntimeConfiguration(name, "/bin/x", "/opt", List.of(), List.of());
        }
      };
  private final FunctionCache cache = cache(LARGE, Duration.ofSeconds(1));

  @Test
  void numberedVersionIsKeptTenMinutes() {
    load(version("1"));

    pass(Duration.ofMinutes(10).minusNanos(1));
    assertThat(cache.fresh(version("1"))).isPresent();
    pass(Duration.ofNanos(1));

    assertThat(cache.fresh(version("1"))).isEmpty();
  }

  @Test
  void latestIsKeptAsLongAsIsSet() {
    load(version("$LATEST"));

    pass(Duration.ofSeconds(1).minusNanos(1));
    assertThat(cache.fresh(version("$LATEST"))).isPresent();
    pass(Duration.ofNanos(1));

    assertThat(cache.fresh(version("$LATEST"))).isEmpty();
  }

  @Test
  void unchangedDocumentKeepsItsResult() {
    ResolvedFunction first = load(version("$LATEST"));
    pass(Duration.ofSeconds(1));

    assertThat(load(version("$LATEST"))).isSameAs(first);
  }

  @Test
  void changedDocumentIsSeenAfterItsTime() {
    load(version("$LATEST"));
    handler = "other";
    pass(Duration.ofSeconds(1));

    assertThat(load(version("$LATEST")).configuration().handler()).isEqualTo("index.other");
  }

  @Test
  void burstSharesOneQuestion() throws Exception {
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<ResolvedFunction>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(threads.submit(() -> load(version("1"))));
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
  void whoCameFirstGoesOnFirst() {
    gate.drainPermits();
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      int number = i;
      all.add(cache.load(version("1"), "r", LATER).thenRun(() -> order.add(number)));
    }

    gate.release(100);
    all.forEach(CompletableFuture::join);

    assertThat(order).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void zeroAsksForEveryCall() {
    FunctionCache never = cache(LARGE, Duration.ZERO);

    answer(never.load(version("$LATEST"), "r", LATER));
    answer(never.load(version("$LATEST"), "r", LATER));

    assertThat(asked).hasValue(2);
    assertThat(never.fresh(version("$LATEST"))).isEmpty();
  }

  @Test
  void waitThatIsOverBeforeItBeginsTookNoTime() {
    gate.drainPermits();

    assertThatThrownBy(
            () -> answer(cache.load(version("1"), "r", -Duration.ofSeconds(1).toNanos())))
        .isInstanceOfSatisfying(
            ApiException.class,
            late ->
                assertThat(late.document().backtrace().getFirst().message())
                    .isEqualTo("no answer in 0ms"));
    gate.release(1);
  }

  @Test
  void refusalIsNotKept() {
    handler = "";
    assertThatThrownBy(() -> load(version("1"))).isInstanceOf(ApiException.class);
    handler = "echo";

    assertThat(load(version("1")).name()).isEqualTo("f");
  }

  @Test
  void invalidatedFunctionIsAskedForAgain() {
    load(version("1"));
    load(version("2"));

    cache.invalidate(FunctionBrn.parse(BRN + "2"));

    assertThat(cache.fresh(version("1"))).isEmpty();
    assertThat(cache.fresh(version("2"))).isEmpty();
  }

  @Test
  void answerToAQuestionFromBeforeAnInvalidationIsNotKept() throws Exception {
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ResolvedFunction> running = threads.submit(() -> load(version("1")));
      awaitQuestions(1);
      cache.invalidate(FunctionBrn.parse(BRN + "1"));
      gate.release();
      running.get();
    }

    assertThat(cache.fresh(version("1"))).isEmpty();
  }

  @Test
  void whoAsksAfterAnInvalidationIsNotToldWhatWasTrueBefore() throws Exception {
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ResolvedFunction> before = threads.submit(() -> load(version("$LATEST")));
      awaitQuestions(1);
      handler = "other";
      cache.invalidate(FunctionBrn.parse(BRN + "$LATEST"));
      Future<ResolvedFunction> after = threads.submit(() -> load(version("$LATEST")));
      awaitQuestions(2);
      gate.release(2);

      assertThat(before.get().configuration().handler()).isEqualTo("index.echo");
      assertThat(after.get().configuration().handler()).isEqualTo("index.other");
    }
  }

  @Test
  void functionsThatAreKeptStayWithinTheirBytes() {
    tagCharacters = 20_000;
    FunctionCache small = cache(ByteSize.ofMebibytes(1), Duration.ofSeconds(1));

    for (int i = 0; i < 1000; i++) {
      answer(small.load(plain("account-" + i), "r", LATER));
    }

    assertThat(asked).hasValue(1000);
    assertThat(small.bytes()).isBetween(500_000L, 1_048_576L);
    assertThat(small.size()).isLessThan(50);
  }

  @Test
  void floodOfOthersDoesNotPushOutWhatIsInUse() {
    tagCharacters = 20_000;
    FunctionCache small = cache(ByteSize.ofMebibytes(1), Duration.ofSeconds(1));
    answer(small.load(version("1"), "r", LATER));

    for (int i = 0; i < 1000; i++) {
      answer(small.load(plain("account-" + i), "r", LATER));
      assertThat(small.fresh(version("1"))).isPresent();
    }
  }

  @Test
  void accountsShareTheFunctionThatABrnNames() {
    for (int i = 0; i < 9000; i++) {
      answer(cache.load(new FunctionReference(BRN + "1", "", "account-" + i, ""), "r", LATER));
    }

    assertThat(asked).hasValue(1);
    assertThat(cache.size()).isEqualTo(1);
  }

  @Test
  void accountChoosesTheFunctionOfAPlainName() {
    answer(cache.load(plain("one"), "r", LATER));

    assertThat(cache.fresh(plain("other"))).isEmpty();
  }

  @Test
  void registryThatSeesWhoAsksIsAskedForEachOfThem() {
    answer(cache.load(new FunctionReference(BRN + "1", "", "one", "Bearer x"), "r", LATER));

    assertThat(cache.fresh(new FunctionReference(BRN + "1", "", "other", "Bearer x"))).isEmpty();
    assertThat(cache.fresh(new FunctionReference(BRN + "1", "", "one", "Bearer y"))).isEmpty();
    assertThat(cache.fresh(new FunctionReference(BRN + "1", "", "one", "Bearer x"))).isPresent();
  }

  @Test
  void callWaitsForTheRegistryNoLongerThanItsDeadline() {
    gate.drainPermits();

    assertThatThrownBy(() -> answer(cache.load(version("1"), "r", Duration.ofMillis(1).toNanos())))
        .isInstanceOfSatisfying(
            ApiException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE));
    gate.release(100);
  }

  @Test
  void withTheRegistryGoneLatestGoesOnForABoundedTime() {
    ResolvedFunction last = load(version("$LATEST"));
    loseRegistry(ErrorCode.UNAVAILABLE);
    pass(Duration.ofSeconds(61).minusNanos(1));

    assertThat(load(version("$LATEST"))).isSameAs(last);
    assertThat(cache.fresh(version("$LATEST"))).containsSame(last);
    assertThat(cache.staleAnswers()).isEqualTo(1);
    assertThat(cache.isRegistryGone()).isTrue();
    pass(Duration.ofNanos(1));

    assertThat(cache.fresh(version("$LATEST"))).isEmpty();
    assertThatThrownBy(() -> load(version("$LATEST"))).isInstanceOf(ApiException.class);
  }

  @Test
  void registryThatFailsOverOneFunctionIsThereForTheOthers() {
    ResolvedFunction last = load(version("$LATEST"));
    loseRegistry(ErrorCode.SERVICE); // As for one whose document is damaged.
    pass(Duration.ofSeconds(61).minusNanos(1));

    assertThat(load(version("$LATEST"))).as("it goes on").isSameAs(last);
    assertThat(cache.isRegistryGone()).isFalse();
  }

  @Test
  void registryThatIsGoneIsAskedLessAndLess() {
    load(version("$LATEST"));
    loseRegistry(ErrorCode.SERVICE);
    pass(Duration.ofSeconds(1));

    List<Long> pauses = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      load(version("$LATEST"));
      pauses.add(secondsFresh());
    }

    assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 8L);
  }

  @Test
  void registryThatIsBackIsBelievedAtOnce() {
    load(version("$LATEST"));
    loseRegistry(ErrorCode.UNAVAILABLE);
    pass(Duration.ofSeconds(1));
    load(version("$LATEST"));
    handler = "other";
    pass(Duration.ofSeconds(1));

    load(version("$LATEST")); // Goes on, and has the registry asked.
    until(() -> !cache.isRegistryGone());
    pass(Duration.ofSeconds(1));

    assertThat(load(version("$LATEST")).configuration().handler()).isEqualTo("index.other");
  }

  @Test
  void whoHasALastAnswerWaitsForNoQuestionWhoseTurnHasNotCome() throws Exception {
    ResolvedFunction last = load(latest("one"));
    load(latest("other"));
    pass(Duration.ofSeconds(1));
    gate.drainPermits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ResolvedFunction> waits = threads.submit(() -> load(latest("other")));
      for (int i = 1; i < Flights.MAX_AT_ONCE; i++) {
        String account = "account-" + i;
        threads.execute(() -> load(plain(account)));
      }
      awaitQuestions(2 + Flights.MAX_AT_ONCE);

      ResolvedFunction found = load(latest("one"));
      boolean hasWaited = waits.isDone(); // Who came before it, and whose question is asked.
      gate.release(1000);

      assertThat(found).isSameAs(last);
      assertThat(hasWaited).isFalse();
    }
  }

  @Test
  void functionThatWasRemovedDoesNotGoOn() {
    load(version("$LATEST"));
    loseRegistry(ErrorCode.RESOURCE_NOT_FOUND);
    pass(Duration.ofSeconds(1));

    assertThatThrownBy(() -> load(version("$LATEST"))).isInstanceOf(ApiException.class);
    assertThat(cache.staleAnswers()).isZero();
    assertThat(cache.isRegistryGone()).isFalse();
  }

  @Test
  void functionThatWasChangedDoesNotGoOnAsItWas() {
    load(version("$LATEST"));
    cache.invalidate(FunctionBrn.parse(BRN + "$LATEST"));
    loseRegistry(ErrorCode.UNAVAILABLE);

    assertThatThrownBy(() -> load(version("$LATEST"))).isInstanceOf(ApiException.class);
  }

  private FunctionDocument tagged(FunctionDocument document) {
    return new FunctionDocument(
        document.code(),
        document.concurrency(),
        document.configuration(),
        document.logConfig(),
        document.uid(),
        Map.of("t", "x".repeat(tagCharacters)));
  }

  private ResolvedFunction load(FunctionReference reference) {
    return answer(cache.load(reference, "r", now.get() + LATER));
  }

  private static ResolvedFunction answer(CompletableFuture<ResolvedFunction> asked) {
    try {
      return asked.join();
    } catch (CompletionException e) {
      throw (ApiException) e.getCause();
    }
  }

  private void loseRegistry(ErrorCode code) {
    failure = code;
    handler = "";
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  /// Moves time on to where the function is not fresh any more.
  private long secondsFresh() {
    long seconds = 0;
    for (; cache.fresh(version("$LATEST")).isPresent(); seconds++) {
      pass(Duration.ofSeconds(1));
    }
    return seconds;
  }

  private void awaitQuestions(int count) {
    until(() -> asked.get() >= count);
  }

  private static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(100_000);
    }
  }

  private FunctionCache cache(ByteSize maxBytes, Duration latestTtl) {
    return new FunctionCache(
        registry,
        new FunctionCache.Limits(maxBytes, latestTtl, STALE, Duration.ofSeconds(30)),
        now::get);
  }

  private static FunctionReference version(String version) {
    return new FunctionReference(BRN + version, "", "account", "");
  }

  private static FunctionReference latest(String account) {
    return new FunctionReference("f", "$LATEST", account, "");
  }

  private static FunctionReference plain(String account) {
    return new FunctionReference("f", "1", account, "");
  }
}
