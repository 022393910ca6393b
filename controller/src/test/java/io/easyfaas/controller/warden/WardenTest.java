package io.easyfaas.controller.warden;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.controller.FakeFunclet;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Acquisition;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.PoolClock;
import io.easyfaas.controller.pool.PoolLimits;
import io.easyfaas.controller.pool.Reason;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.SlotMove;
import io.easyfaas.controller.pool.Waiter;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.FlushQueues;
import io.easyfaas.controller.runtime.FunctionLog;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.controller.runtime.SlotChannels;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WardenTest {
  @TempDir Path directory;

  private final EventLoops loops = new EventLoops(1);
  private final AtomicLong nanos = new AtomicLong(1);
  private final ResolvedFunction function =
      ResolvedFunction.of(
          FakeRegistry.document("f", "brn:f", Traits.of("echo")),
          new RuntimeConfiguration("nodejs20", "/bin/node", "/opt", List.of(), List.of()));
  private FakeFunclet funclet;
  private SlotChannels channels;
  private Warden warden;

  @BeforeEach
  void start() {
    funclet = new FakeFunclet(1, 256);
    channels =
        SlotChannels.listen(
            directory.resolve("channels"),
            new FlushQueues(loops),
            nanos::get,
            System::currentTimeMillis);
    warden = start(funclet);
  }

  private Warden start(FuncletApi funclet) {
    return Warden.start(
        funclet,
        channels,
        (_, _) -> new Ignored(),
        new Warden.Waits(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofMillis(200)),
        new PoolLimits(
            Duration.ofSeconds(60),
            10,
            1000,
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ZERO,
            0),
        new PoolClock(nanos::get, InstantSource.system()));
  }

  @AfterEach
  void stop() throws IOException {
    warden.close();
    channels.close();
    loops.close();
    funclet.close();
  }

  @Test
  void workThatHasBegunIsNotToldAsIfItHadNot() {
    AtomicInteger begun = new AtomicInteger();
    Executor begins =
        work -> {
          work.run();
          throw new OutOfMemoryError("unable to create native thread");
        };

    assertThat(Warden.execute(begins, begun::incrementAndGet)).isTrue();
    assertThat(begun).hasValue(1);
  }

  @Test
  void workThatIsToldNotToHaveBegunNeverBegins() {
    AtomicInteger begun = new AtomicInteger();
    List<Runnable> queued = new ArrayList<>();
    Executor fails =
        work -> {
          queued.add(work);
          throw new OutOfMemoryError("unable to create native thread");
        };

    assertThatThrownBy(() -> Warden.execute(fails, begun::incrementAndGet))
        .isInstanceOf(OutOfMemoryError.class);
    queued.forEach(Runnable::run);
    assertThat(begun).hasValue(0);
  }

  @Test
  void whoIsToldToStopDoesNotGoOnWaitingForFunclet() {
    AtomicLong asked = new AtomicLong();
    FuncletApi gone =
        (FuncletApi)
            Proxy.newProxyInstance(
                FuncletApi.class.getClassLoader(),
                new Class<?>[] {FuncletApi.class},
                (_, _, _) -> {
                  asked.incrementAndGet();
                  throw new IllegalStateException("gone");
                });
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> start(gone))
        .isInstanceOf(RunnerException.class)
        .hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(asked).hasValue(1);
  }

  @Test
  void functionThatIsNotLoadedInTimeIsTheFunctionsFailure() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    funclet.script(runner -> {
      runner.greet();
      over.await();
    });

    Refusal refusal = refusal();
    over.countDown();

    assertThat(refusal).isInstanceOf(Refusal.LoadFailed.class);
    assertThat(new String(((Refusal.LoadFailed) refusal).error(), UTF_8))
        .isEqualTo(
            "{\"errorMessage\":\"Loading timed out after 0 seconds\","
                + "\"errorType\":\"Runtime.LoadTimeout\",\"stackTrace\":[]}");
    assertThat(funclet.warmups()).as("no second try").hasSize(1);
    assertThat(warden.pool().moves())
        .containsKey(new SlotMove("warmup", "stopping", Reason.LOAD_FAILED));
  }

  @Test
  void garbageOfAFunctionThatIsBeingLoadedIsTheFunctionsFailure() throws Exception {
    funclet.script(runner -> {
      runner.greet();
      runner.awaitLoad();
      runner.answerNobody();
      runner.awaitEnd();
    });

    Refusal refusal = refusal();

    assertThat(refusal).isInstanceOf(Refusal.LoadFailed.class);
    assertThat(new String(((Refusal.LoadFailed) refusal).error(), UTF_8))
        .contains("\"errorType\":\"Runtime.ProtocolError\"");
    assertThat(funclet.warmups()).as("no second try").hasSize(1);
    assertThat(warden.pool().moves())
        .containsKey(new SlotMove("warmup", "stopping", Reason.LOAD_FAILED));
  }

  @Test
  void aSlotThatIsNotToBePausedAnyMoreIsNot() {
    SlotWarden late = new SlotWarden(warden, 0, ContainerId.of("pod", 0), channels.of("pod-c0"));

    late.freeze(); // The pool had said so, and then a call came first.

    assertThat(funclet.frozen()).isEmpty();
  }

  private Refusal refusal() throws Exception {
    CompletableFuture<Refusal> refused = new CompletableFuture<>();
    Waiter waiter =
        new Waiter() {
          @Override
          public String label() {
            return "R1";
          }

          @Override
          public int weight() {
            return 0;
          }

          @Override
          public void granted(Lease lease) {
            refused.completeExceptionally(new AssertionError("granted"));
          }

          @Override
          public void refused(Refusal refusal) {
            refused.complete(refusal);
          }
        };
    assertThat(warden.pool().acquire(function, waiter)).isInstanceOf(Acquisition.Queued.class);
    return refused.get(20, TimeUnit.SECONDS);
  }

  private record Ignored() implements FunctionLog {
    @Override
    public void printed(boolean stderr, ByteBuf text) {}

    @Override
    public void ended() {}
  }
}
