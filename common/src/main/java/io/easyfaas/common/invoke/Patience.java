package io.easyfaas.common.invoke;

import io.easyfaas.common.config.Durations;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Ends calls whose answer has not begun when their caller's patience is over: the caller is told
/// 504 and the call is cancelled. A stream that has begun is left alone. Thread-safe.
public final class Patience implements Invoker {
  private final Invoker invoker;
  private final ScheduledExecutorService timers;

  /// @param invoker makes the calls
  /// @param timers tells when patience is over; must not be blocked
  public Patience(Invoker invoker, ScheduledExecutorService timers) {
    this.invoker = invoker;
    this.timers = timers;
  }

  @Override
  public Call invoke(CallRequest request, CallSink sink) {
    if (!request.terms().isImpatient()) {
      return invoker.invoke(request, sink);
    }
    Timed timed = new Timed(request.terms(), sink);
    timed.start(timers);
    timed.call = invoker.invoke(request, timed);
    if (timed.isOver()) {
      timed.call.cancel(); // It was over before there was a call to cancel.
    }
    return timed;
  }

  private enum Phase {
    /// Nothing has been told yet.
    WAITING,
    /// The answer came first.
    HEARD,
    /// Patience ended first: whatever comes now is dropped.
    OVER
  }

  /// Whoever of the answer and the timer comes first is heard.
  private static final class Timed implements CallSink, Call, Runnable {
    private final CallTerms terms;
    private final CallSink sink;
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);
    private @Nullable Future<?> timer;
    volatile Call call = Call.ENDED;

    Timed(CallTerms terms, CallSink sink) {
      this.terms = terms;
      this.sink = sink;
    }

    void start(ScheduledExecutorService timers) {
      try {
        timer = timers.schedule(this, terms.patience().toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException _) {
        // The engine is stopping, and ends its calls itself.
      }
    }

    @Override
    public void run() {
      if (phase.compareAndSet(Phase.WAITING, Phase.OVER)) {
        call.cancel();
        sink.failed(
            CallFailure.of(
                new ApiException(
                    ErrorCode.GATEWAY_TIMEOUT,
                    "no answer in " + Durations.text(terms.patience()))));
      }
    }

    @Override
    public void cancel() {
      stopTimer(); // Which would keep all of the caller in memory.
      call.cancel();
    }

    @Override
    public void taken(int bytes) {
      call.taken(bytes);
    }

    @Override
    public void answered(Receipt receipt, ByteBuf answer) {
      if (isHeard()) {
        sink.answered(receipt, answer);
      }
    }

    @Override
    public void began(AnswerHead head) {
      if (isHeard()) {
        sink.began(head);
      }
    }

    @Override
    public void part(ByteBuf bytes) {
      if (isHeard()) {
        sink.part(bytes);
      }
    }

    @Override
    public void ended(Receipt receipt) {
      if (isHeard()) {
        sink.ended(receipt);
      }
    }

    @Override
    public void failed(CallFailure failure) {
      if (isHeard()) {
        sink.failed(failure);
      }
    }

    boolean isOver() {
      return phase.get() == Phase.OVER;
    }

    private boolean isHeard() {
      if (phase.get() == Phase.HEARD) {
        return true;
      }
      if (!phase.compareAndSet(Phase.WAITING, Phase.HEARD)) {
        return false;
      }
      stopTimer();
      return true;
    }

    private void stopTimer() {
      Future<?> armed = timer;
      if (armed != null) {
        armed.cancel(false);
      }
    }
  }
}
