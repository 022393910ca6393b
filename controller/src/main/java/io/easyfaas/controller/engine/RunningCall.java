package io.easyfaas.controller.engine;

import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.pool.FunctionErrors;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.runtime.RunnerCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A call that has a lease: what its runner hears of it and says to it. Lives on the runner's event
/// loop, but for {@link #cancel} and {@link #taken}.
///
/// Whatever the end is, the slot is given back before the caller is told: the next call may be
/// waiting for it.
final class RunningCall implements RunnerCall {
  private static final Logger LOG = LoggerFactory.getLogger(RunningCall.class);

  private final EngineCall call;
  private final EngineInvoker engine;
  private final Lease lease;
  private final CallOutcome outcome;
  private boolean isReleased;

  RunningCall(EngineCall call, EngineInvoker engine, Lease lease, CallOutcome outcome) {
    this.call = call;
    this.engine = engine;
    this.lease = lease;
    this.outcome = outcome;
  }

  /// Has the runner asked, or fails. Any thread; throws nothing.
  void begin() {
    try {
      lease.runner().invoke(this);
    } catch (Throwable e) {
      LOG.error("request={}: the engine failed", call.label(), e);
      failed(e);
    }
  }

  /// Has the runner told that nobody waits any more. Any thread.
  void cancel() {
    lease.runner().cancel(this);
  }

  /// Lets more of the answer come. Any thread.
  void taken(int bytes) {
    lease.runner().taken(this, bytes);
  }

  @Override
  public byte[] requestId() {
    return call.requestId();
  }

  @Override
  public ByteBuf takeEvent() {
    return call.takeEvent();
  }

  @Override
  public byte[] headers() {
    return call.headers();
  }

  @Override
  public boolean takesParts() {
    return outcome.takesParts();
  }

  @Override
  public boolean isAbandoned() {
    return call.isAbandoned();
  }

  @Override
  public void began(AnswerHead head) {
    tell(() -> outcome.began(head));
  }

  @Override
  public void part(ByteBuf bytes) {
    tell(() -> outcome.part(bytes));
  }

  @Override
  public void logged(boolean stderr, ByteBuf text) {
    outcome.logged(stderr, text);
  }

  @Override
  public void answered(boolean failed, ByteBuf payload) {
    answer(failed, payload, release());
  }

  @Override
  public void timedOut() {
    long ended = release();
    engine.metrics.timeouts.increment();
    byte[] error = CallErrors.timedOut(call.label(), call.function());
    answer(true, Unpooled.wrappedBuffer(error), ended);
  }

  @Override
  public void failed(Throwable cause) {
    long ended = release();
    call.failed(cause, slotName(), ended);
  }

  @Override
  public void lost(Optional<RunnerExit> exit) {
    long ended = release();
    if (!call.isSent()) {
      call.goElsewhere();
      return;
    }
    engine.metrics.runnersLost.increment();
    byte[] error = FunctionErrors.exited(Optional.of(call.label()), call.function().memory(), exit);
    answer(true, Unpooled.wrappedBuffer(error), ended);
  }

  /// Gives the slot back, once. Throws nothing: the call is to be told.
  ///
  /// @return when the call ended
  long release() {
    long ended = engine.nanoTime.getAsLong();
    if (!isReleased) {
      isReleased = true;
      try {
        engine.pool.release(lease);
        engine.metrics.putPod.record(engine.nanoTime.getAsLong() - ended);
      } catch (Throwable e) {
        LOG.error("request={}: the slot could not be given back", call.label(), e);
      }
    }
    return ended;
  }

  /// Tells what the function, or the engine in its place, says.
  private void answer(boolean failed, ByteBuf body, long ended) {
    outcome.answered(failed, body, slotName(), call.isAbandoned(), ended);
  }

  private String slotName() {
    return engine.slotName(lease.slotIndex());
  }

  /// Tells what comes before the end. What cannot be told ends the call, not its runner.
  private void tell(Runnable news) {
    if (call.isAbandoned()) {
      return;
    }
    try {
      news.run();
    } catch (Throwable e) {
      call.cancel();
      outcome.cannotTell(e);
    }
  }
}
