package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.HeaderBlock;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.pool.Acquisition;
import io.easyfaas.controller.pool.FunctionErrors;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.Waiter;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.RunnerCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One call's life, from its request to its end.
///
/// It begins on its caller's thread. A function that is not in the cache is looked up on a virtual
/// thread, which goes on from there. From the moment it is granted a lease the call lives on the
/// runner's event loop, where its end is told, see {@link CallOutcome}. Fields are written by
/// whoever has the call at the time; `function`, `lease` and `abandoned` may meet, see {@link
/// #cancel}.
///
/// **Other revisions.** A call of `$LATEST` that waits while its function is updated may find the
/// code of its revision gone. Then it goes on with the new one, as often as {@value #MAX_REVISIONS}
/// times.
final class EngineCall implements Call, RunnerCall, Waiter {
  private static final Logger LOG = LoggerFactory.getLogger(EngineCall.class);
  private static final int MAX_REVISIONS = 10;

  private final EngineInvoker engine;
  private final CallSink sink;
  private final CallOutcome outcome;
  private final FunctionReference reference;
  private final byte[] requestId;
  private final CallTerms terms;
  private final CallTimes times;

  private @Nullable ByteBuf event;
  private byte[] headers = HeaderBlock.NONE;
  private boolean isReleased;
  private int revisions;
  private volatile @Nullable ResolvedFunction function;
  private volatile @Nullable Lease lease;
  private volatile boolean abandoned;

  /// Takes over a request.
  EngineCall(EngineInvoker engine, CallRequest request, CallSink sink) {
    // Why not keep the request: the compiler then sees that nobody does, and never makes it.
    this.engine = engine;
    this.sink = sink;
    this.reference =
        engine.rules.showsAuthorization()
            ? request.function()
            : request.function().withoutAuthorization();
    this.requestId = request.requestId();
    this.terms = request.terms();
    this.event = request.event();
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
    Lease current = lease;
    if (current != null) {
      current.runner().cancel(this);
    } else {
      withdraw();
    }
  }

  @Override
  public void taken(int bytes) {
    Lease current = lease;
    if (current != null) {
      current.runner().taken(this, bytes);
    }
  }

  @Override
  public void granted(Lease given) {
    lease = given;
    if (abandoned) {
      engine.pool.release(given);
      leave();
      return;
    }
    times.dispatched(now());
    given.runner().invoke(this);
  }

  @Override
  public void refused(Refusal refusal) {
    switch (refusal) {
      case Refusal.Overloaded overloaded -> fail(CallErrors.noRoom(overloaded.detail()));
      case Refusal.NeverFits unfit -> fail(CallErrors.neverFits(unfit.detail()));
      case Refusal.Stopping _ -> fail(CallErrors.stopping());
      case Refusal.WarmupFailed failed -> fail(CallErrors.engine(failed.detail()));
      case Refusal.CodeGone gone -> moveOn(gone);
      case Refusal.LoadFailed failed -> {
        releaseEvent();
        failed.output().forEach(each -> logged(each.stderr(), Unpooled.wrappedBuffer(each.text())));
        answer(true, Unpooled.wrappedBuffer(failed.error()), now());
      }
    }
  }

  @Override
  public String label() {
    return new String(requestId, US_ASCII);
  }

  @Override
  public byte[] requestId() {
    return requestId;
  }

  @Override
  public int weight() {
    ByteBuf body = event;
    return body == null ? 0 : body.readableBytes();
  }

  @Override
  public ByteBuf takeEvent() {
    ByteBuf body = event;
    event = null;
    return body == null ? Unpooled.EMPTY_BUFFER : body;
  }

  @Override
  public byte[] headers() {
    return headers;
  }

  @Override
  public boolean takesParts() {
    return sink.takesParts();
  }

  @Override
  public void began(ByteBuf head) {
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
    answer(true, Unpooled.wrappedBuffer(CallErrors.timedOut(label(), mine())), ended);
  }

  @Override
  public void failed(Throwable cause) {
    long ended = release();
    if (abandoned) {
      leave();
      return;
    }
    ApiException failure = CallErrors.of(cause);
    outcome.keepLog(failure.code().status(), slotName(), ended); // It is its owner's all the same.
    releaseEvent();
    outcome.failedHalfWay(failure);
  }

  @Override
  public boolean isAbandoned() {
    return abandoned;
  }

  @Override
  public void lost(Optional<RunnerExit> exit) {
    long ended = release();
    engine.metrics.runnersLost.increment();
    answer(
        true,
        Unpooled.wrappedBuffer(FunctionErrors.exited(Optional.of(label()), mine().memory(), exit)),
        ended);
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
      LOG.error("request={}: the engine failed", label(), e);
      failed(e);
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
      fail(
          CallErrors.engine(
              "the registry says so still: code location: "
                  + found.document().code().location()
                  + " does not exist"));
      return;
    }
    outcome.open(found);
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
    if (reference.isFixed() || revisions >= MAX_REVISIONS) {
      fail(CallErrors.engine(gone.detail()));
      return;
    }
    revisions++;
    engine.functions.outdated(reference, mine());
    engine.lookUps.begin(this, now());
  }

  /// Takes the call out of the queue, if it is there.
  private void withdraw() {
    ResolvedFunction known = function;
    if (known != null && engine.pool.withdraw(known, this)) {
      leave();
    }
  }

  /// Gives the slot back, first of all: the next call may be waiting for it. Returns when the call
  /// ended.
  private long release() {
    long ended = now();
    Lease given = lease;
    if (given != null && !isReleased) {
      isReleased = true;
      engine.pool.release(given);
      engine.metrics.putPod.record(now() - ended);
    }
    return ended;
  }

  /// Tells what the function, or the engine in its place, says.
  private void answer(boolean failed, ByteBuf body, long ended) {
    outcome.answered(failed, body, slotName(), abandoned, ended);
  }

  /// The container it ran in; empty when it did not.
  private String slotName() {
    Lease given = lease;
    return given == null ? "" : engine.slotName(given.slotIndex());
  }

  /// Tells what comes before the end. What cannot be told ends the call, not its runner.
  private void tell(Runnable news) {
    if (abandoned) {
      return;
    }
    try {
      news.run();
    } catch (Throwable e) {
      cancel();
      outcome.cannotTell(e);
    }
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

  private ResolvedFunction mine() {
    ResolvedFunction found = function;
    if (found == null) {
      throw new IllegalStateException("request " + label() + " has no function yet");
    }
    return found;
  }
}
