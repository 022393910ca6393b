package io.easyfaas.common.invoke;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PatienceTest {
  private static final Receipt RECEIPT = new Receipt(false, 1, "");

  private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
  private final CountDownLatch cancelled = new CountDownLatch(1);
  private final CountDownLatch failed = new CountDownLatch(1);
  private final List<String> told = new ArrayList<>();
  private CallSink inner = new Told();

  private final class Told implements CallSink {
    @Override
    public void answered(Receipt receipt, ByteBuf answer) {
      told.add("answered");
    }

    @Override
    public void began(AnswerHead head) {
      told.add("began");
    }

    @Override
    public void part(ByteBuf bytes) {
      told.add("part");
    }

    @Override
    public void ended(Receipt receipt) {
      told.add("ended");
    }

    @Override
    public void failed(CallFailure failure) {
      told.add(
          failure instanceof CallFailure.ByEngine engine
              ? engine.why().code().name()
              : failure.toString());
      failed.countDown();
    }
  }

  @AfterEach
  void stop() {
    timers.shutdownNow();
  }

  @Test
  void aCallWhoseTimeIsOverIsCancelledAndItsCallerIsTold() throws Exception {
    begin(Duration.ofMillis(1));

    assertThat(failed.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
    inner.answered(RECEIPT, Unpooled.EMPTY_BUFFER);
    inner.failed(new CallFailure.ByFunction(RECEIPT, new byte[0]));

    assertThat(told).containsExactly(ErrorCode.GATEWAY_TIMEOUT.name());
  }

  @Test
  void anAnswerInTimeIsTheOnlyThingThatIsTold() {
    begin(Duration.ofHours(1));
    inner.answered(RECEIPT, Unpooled.EMPTY_BUFFER);

    assertThat(told).containsExactly("answered");
    assertThat(timers.shutdownNow()).allMatch(timer -> ((Future<?>) timer).isCancelled());
    assertThat(cancelled.getCount()).isOne();
  }

  @Test
  void nothingWaitsForACallThatWasCancelled() {
    begin(Duration.ofHours(1)).cancel();

    assertThat(cancelled.getCount()).isZero();
    assertThat(timers.shutdownNow()).allMatch(timer -> ((Future<?>) timer).isCancelled());
    assertThat(told).isEmpty();
  }

  @Test
  void aStreamThatHasBegunGoesOn() {
    begin(Duration.ofHours(1));
    inner.began(new AnswerHead(0, "", Map.of(), 3));
    inner.part(Unpooled.EMPTY_BUFFER);
    inner.failed(new CallFailure.ByFunction(RECEIPT, new byte[0]));

    assertThat(told).startsWith("began", "part").hasSize(3);
  }

  private Call begin(Duration patience) {
    Patience invoker =
        new Patience(
            (request, sink) -> {
              request.event().release();
              inner = sink;
              return new Call() {
                @Override
                public void cancel() {
                  cancelled.countDown();
                }

                @Override
                public void taken(int bytes) {}
              };
            },
            timers);
    CallTerms terms =
        new CallTerms(
            patience, CallTerms.Priority.NORMAL, CallTerms.LogWish.NONE, CallTerms.GENERIC);
    return invoker.invoke(
        new CallRequest(
            new FunctionReference("f", "1", "", ""),
            new byte[] {'R'},
            terms,
            CallHeaders.NONE,
            Unpooled.buffer()),
        new Told());
  }
}
