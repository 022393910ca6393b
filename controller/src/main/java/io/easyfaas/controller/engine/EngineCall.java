package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.HeaderBlock;
import io.easyfaas.controller.pool.Acquisition;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.Waiter;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One call's life, from its request to its end.
///
/// It begins on its caller's thread. When its function is not in the cache, it goes on where its
/// wait for the registry ends. From the moment it is granted a lease the call lives on the runner's
/// event loop, as a {@link RunningCall}. What comes of it is told by its {@link CallOutcome}.
/// Fields are written by whoever has the call at the time; `function`, `running` and `abandoned`
/// may meet, see {@link #cancel}.
///
/// **Retries.** A call of `$LATEST` that waits while its function is updated may find the code of
/// its revision gone. Then it goes on with the new one. One whose runner ends before it is sent
/// asks for a slot again. Both together {@value #MAX_RETRIES} times at most.
final class EngineCall implements Call, Waiter {
  private static final Logger LOG = LoggerFactory.getLogger(EngineCall.class);
  private static final int MAX_RETRIES = 10;

  private final EngineInvoker engine;
  private final CallOutcome outcome;
  private final FunctionReference reference;
  private final byte[] requestId;
  private final CallTerms terms;
  private final CallTimes times;
  private final int weight; // Told at the end of a wait as at its beginning.

  private @Nullable ByteBuf event;
  private byte[] headers = HeaderBlock.NONE;
  private int retries;
  private volatile @Nullable ResolvedFunction function;
  private volatile @Nullable RunningCall running;
  private volatile boolean abandoned;

  /// Takes over a request.
  EngineCall(EngineInvoker engine, CallRequest request, CallSink sink) {
    // Why not keep the request: the compiler then sees that nobody does, and never makes it.
    this.engine = engine;
    this.reference =
        engine.rules.showsAuthorization()
            ? request.function()
            : request.function().withoutAuthorization();
    this.requestId = request.requestId();
    this.terms = request.terms();
    this.event = request.event();
    this.weight = request.event().readableBytes();
    this.times = new CallTimes(engine.metrics, now());
    this.outcome = new CallOutcome(engine, sink, terms, requestId, times);
  }

  /// Starts the call.
  ///
  /// @param carried what goes with the event
  void begin(CallHeaders carried) {
    try {
      headers = CarriedHeaders.encode(carried);
    } catch (IllegalArgumentException e) {
      fail(CallErrors.invalid(String.valueOf(e.getMessage()), ""));
      return;
    }
    Optional<ResolvedFunction> cached = engine.functions.fresh(reference);
    if (cached.isPresent()) {
      found(cached.get(), true);
      return;
    }
    try {
      CallErrors.check(reference);
    } catch (ApiException e) {
      fail(e);
      return;
    }
    engine.lookUps.begin(this, times.received());
  }

  /// A call that waits is taken out of the queue. One that runs is cancelled, but keeps its lease
  /// until the runner is done with it. Between the steps of a call another thread may have it right
  /// now: each writes its own field first and then reads the other's, so at least one sees both.
  @Override
  public void cancel() {
    abandoned = true;
    RunningCall current = running;
    if (current != null) {
      current.cancel();
    } else {
      withdraw();
    }
  }

  @Override
  public void taken(int bytes) {
    RunningCall current = running;
    if (current != null) {
      current.taken(bytes);
    }
  }

  @Override
  public void granted(Lease given) {
    RunningCall begins = new RunningCall(this, engine, given, outcome);
    running = begins;
    if (abandoned) {
      begins.release();
      leave();
      return;
    }
    times.dispatched(now());
    begins.begin();
  }

  @Override
  public void refused(Refusal refusal) {
    try {
      tell(refusal);
    } catch (RuntimeException | Error e) {
      engineFailed(e);
    }
  }

  private void tell(Refusal refusal) {
    switch (refusal) {
      case Refusal.Overloaded overloaded -> fail(CallErrors.noRoom(overloaded.detail()));
      case Refusal.NoSandbox _ -> fail(CallErrors.noSandbox());
      case Refusal.NeverFits unfit -> fail(CallErrors.neverFits(unfit.detail()));
      case Refusal.Stopping _ -> fail(CallErrors.stopping());
      case Refusal.WarmupFailed failed -> fail(CallErrors.warmup(failed.detail(), failed.passes()));
      case Refusal.CodeGone gone -> moveOn(gone);
      case Refusal.LoadFailed failed -> {
        releaseEvent();
        outcome.notLoaded(failed, abandoned, now());
      }
    }
  }

  @Override
  public String label() {
    return new String(requestId, US_ASCII);
  }

  @Override
  public int weight() {
    return weight;
  }

  /// Printable ASCII. Nobody changes it.
  byte[] requestId() {
    return requestId;
  }

  /// The event, whose ownership passes; nothing the second time.
  ByteBuf takeEvent() {
    ByteBuf body = event;
    event = null;
    return body == null ? Unpooled.EMPTY_BUFFER : body;
  }

  /// Whether the event was taken.
  boolean isSent() {
    return event == null;
  }

  /// What goes with the event, as the runner gets it. Nobody changes it.
  byte[] headers() {
    return headers;
  }

  /// Whether nobody waits for it any more. Any thread.
  boolean isAbandoned() {
    return abandoned;
  }

  /// Which function, in whose name.
  FunctionReference reference() {
    return reference;
  }

  /// Goes on with the function. Any thread; throws nothing.
  void found(ResolvedFunction found, boolean fromCache) {
    try {
      goOn(found, fromCache);
    } catch (RuntimeException | Error e) {
      engineFailed(e);
    }
  }

  /// Ends without a function. Any thread; throws nothing.
  void notFound(ApiException why) {
    try {
      fail(why);
    } catch (RuntimeException | Error e) {
      engineFailed(e);
    }
  }

  /// Asks for a slot again: the runner has ended before the call was sent. Any thread; throws
  /// nothing.
  void goElsewhere() {
    running = null;
    try {
      if (abandoned) {
        leave();
      } else if (++retries > MAX_RETRIES) {
        fail(new ApiException(ErrorCode.UNAVAILABLE, "its runners end before they get the call"));
      } else {
        acquire(function());
      }
    } catch (RuntimeException | Error e) {
      engineFailed(e);
    }
  }

  private void engineFailed(Throwable why) {
    LOG.error("request={}: the engine failed", label(), why);
    RunningCall begun = running;
    if (begun == null) {
      failed(why, "", now());
    } else {
      begun.failed(why);
    }
  }

  private void goOn(ResolvedFunction found, boolean fromCache) {
    times.resolved(fromCache, now());
    String account = reference.account();
    if (engine.rules.checksCaller() && !found.uid().equals(account)) {
      fail(CallErrors.notTheOwner(found.uid(), account));
      return;
    }
    ResolvedFunction before = function;
    function = found;
    if (abandoned) {
      leave();
      return;
    }
    if (before != null && before.key().equals(found.key())) {
      fail(CallErrors.codeIsGone(found));
      return;
    }
    outcome.open(found);
    acquire(found);
  }

  private void acquire(ResolvedFunction found) {
    times.asksForSlot();
    if (terms.priority() == CallTerms.Priority.BACKGROUND
        && engine.pool.waitingRoom().calls() > 0) {
      fail(CallErrors.noRoom("others wait"));
      return;
    }
    switch (engine.pool.acquire(found, this)) {
      case Lease given -> {
        times.foundWarmSlot();
        granted(given);
      }
      case Acquisition.Queued _ -> {
        if (abandoned) {
          withdraw();
        }
      }
      case Acquisition.Refused refused -> refused(refused.refusal());
    }
  }

  /// Goes on with the revision that has taken the place of this one, if that may be.
  private void moveOn(Refusal.CodeGone gone) {
    if (reference.isFixed() || retries >= MAX_RETRIES) {
      fail(CallErrors.engine(gone.detail()));
      return;
    }
    retries++;
    engine.functions.outdated(reference, function());
    engine.lookUps.begin(this, now());
  }

  /// Takes the call out of the queue, if it is there.
  private void withdraw() {
    ResolvedFunction known = function;
    if (known != null && engine.pool.withdraw(known, this)) {
      leave();
    }
  }

  /// Tells what went wrong in the engine once the function was known.
  ///
  /// @param slot the container's name; empty when the call had none
  /// @param ended when its part was over
  void failed(Throwable cause, String slot, long ended) {
    if (abandoned) {
      leave();
      return;
    }
    ApiException failure = ApiException.of(cause);
    // What it printed is its owner's all the same.
    String _ = outcome.finishLog(failure.code().status(), slot, ended);
    releaseEvent();
    outcome.failedHalfWay(failure);
  }

  /// Tells a failure that is not the function's. Any thread.
  void fail(ApiException failure) {
    releaseEvent();
    outcome.failed(failure);
  }

  /// Ends a call that never ran and that nobody waits for.
  private void leave() {
    releaseEvent();
    outcome.left();
  }

  private void releaseEvent() {
    takeEvent().release();
  }

  private long now() {
    return engine.nanoTime.getAsLong();
  }

  /// What is called. Once it is found.
  ResolvedFunction function() {
    ResolvedFunction found = function;
    if (found == null) {
      throw new IllegalStateException("request " + label() + " has no function yet");
    }
    return found;
  }
}
