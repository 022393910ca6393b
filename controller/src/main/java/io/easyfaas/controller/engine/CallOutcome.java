package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.CallOutput;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is told of one call: to its caller, to the user log, and to the metrics. Not thread-safe;
/// whoever has the call has this.
final class CallOutcome {
  private static final Logger LOG = LoggerFactory.getLogger(CallOutcome.class);

  private final EngineInvoker engine;
  private final CallSink sink;
  private final CallTerms terms;
  private final byte[] requestId;
  private final CallTimes times;
  private @Nullable CallLog log;
  private boolean begun;

  CallOutcome(
      EngineInvoker engine, CallSink sink, CallTerms terms, byte[] requestId, CallTimes times) {
    this.engine = engine;
    this.sink = sink;
    this.terms = terms;
    this.requestId = requestId;
    this.times = times;
  }

  /// Starts the log of a call of this function, if anybody wants it.
  void open(ResolvedFunction function) {
    closeLog();
    boolean wantsTail = terms.log() == CallTerms.LogWish.TAIL;
    if (wantsTail || function.keepsUserLog()) {
      log =
          new CallLog(
              function,
              label(),
              wantsTail,
              engine.clock.millis(),
              engine.budget.open(ByteKind.OUTPUT, function.uid()));
    }
  }

  /// Whether the caller takes the answer in parts.
  boolean takesParts() {
    return sink.takesParts();
  }

  /// The call printed something.
  void logged(boolean stderr, ByteBuf text) {
    CallLog kept = log;
    if (kept != null) {
      kept.add(stderr, text, engine.clock.millis());
    }
  }

  /// An answer in parts begins.
  void began(AnswerHead head) {
    begun = true;
    sink.began(head);
  }

  /// The next part of an answer.
  void part(ByteBuf bytes) {
    sink.part(bytes);
  }

  /// What the function says, or the engine in its place.
  ///
  /// @param slot the container's name; empty when the call had none
  /// @param abandoned whether nobody waits for it any more
  /// @param ended when the runner's part was over
  void answered(boolean failed, ByteBuf body, String slot, boolean abandoned, long ended) {
    times.ended(ended);
    int status = failed ? 500 : 200;
    times.finished(abandoned ? CallTimes.STATUS_ABANDONED : status, ended);
    String tail = log == null ? "" : finishLog(status, slot, ended);
    if (abandoned) {
      return;
    }
    Receipt receipt = new Receipt(failed, times.executionNanos(ended), tail);
    try {
      if (!begun) {
        sink.answered(receipt, body);
      } else if (failed) {
        sink.failed(new CallFailure.ByFunction(receipt, ByteBufUtil.getBytes(body)));
      } else {
        sink.ended(receipt);
      }
    } catch (Throwable e) { // The runner has done its part: whatever this is, it is not its fault.
      cannotTell(e);
    }
  }

  /// What the function said and printed when it could not be loaded.
  ///
  /// @param abandoned whether nobody waits for it any more
  /// @param ended when that was known
  void notLoaded(Refusal.LoadFailed failed, boolean abandoned, long ended) {
    failed.output().forEach(each -> logged(each.stderr(), Unpooled.wrappedBuffer(each.text())));
    answered(true, Unpooled.wrappedBuffer(failed.error()), "", abandoned, ended);
  }

  /// Gives what the function printed to the user log, if that has one, and ends the log. Throws
  /// nothing: an answer is worth more than what was printed on the way to it.
  ///
  /// @param slot the container's name; empty when the call had none
  /// @param ended when the runner's part was over
  /// @return its end as the answer has it; empty when that is not wanted
  String finishLog(int status, String slot, long ended) {
    CallLog kept = log;
    if (kept == null) {
      return "";
    }
    try {
      String tail = kept.tail(times.runNanos(ended) / 1_000_000);
      keep(kept, status, slot, ended);
      return tail;
    } catch (Throwable e) {
      LOG.error("request={}: what it printed is lost", label(), e);
      return "";
    } finally {
      closeLog();
    }
  }

  private void keep(CallLog kept, int status, String slot, long ended) {
    long run = times.runNanos(ended);
    Instant now = engine.clock.instant();
    long epochNanos = now.getEpochSecond() * 1_000_000_000 + now.getNano();
    CallOutput output =
        kept.output(
            slot, terms.trigger(), epochNanos - run, status, run / 1_000_000, now.toEpochMilli());
    if (output != null) {
      engine.userLog.offer(output);
    }
  }

  /// The answer cannot be told to the caller.
  void cannotTell(Throwable why) {
    LOG.error("request={}: the answer could not be told", label(), why);
    sink.failed(new CallFailure.ByEngine(ApiException.of(why)));
  }

  /// A failure of the engine's, of which it is not known what the function did.
  void failedHalfWay(ApiException failure) {
    ended(failure);
    sink.failed(new CallFailure.ByEngine(failure));
  }

  /// A failure that is not the function's. Any thread.
  void failed(ApiException failure) {
    ended(failure);
    sink.failed(CallFailure.of(failure));
  }

  private void ended(ApiException failure) {
    closeLog();
    times.finished(failure.code().status(), engine.nanoTime.getAsLong());
  }

  /// The call never ran, and nobody waits for it.
  void left() {
    closeLog();
    times.finished(CallTimes.STATUS_ABANDONED, engine.nanoTime.getAsLong());
  }

  private void closeLog() {
    CallLog kept = log;
    log = null;
    if (kept == null) {
      return;
    }
    try {
      kept.close();
    } catch (Throwable e) {
      LOG.error("request={}: memory of what it printed is lost", label(), e);
    }
  }

  private String label() {
    return new String(requestId, US_ASCII);
  }
}
