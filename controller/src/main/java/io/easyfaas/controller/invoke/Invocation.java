package io.easyfaas.controller.invoke;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.pool.Acquisition;
import io.easyfaas.controller.pool.FunctionErrors;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.Waiter;
import io.easyfaas.controller.registry.FunctionReference;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.RunnerCall;
import io.easyfaas.controller.userlog.CallOutput;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One invocation, from its request to its answer.
///
/// It begins on its connection's event loop. A function that is not in the cache is looked up on a
/// virtual thread, which comes back to the loop. From the moment it is granted a lease it lives on
/// the runner's event loop (the same one, when there is one), until its encoded answer is handed
/// back to the connection's loop. Fields are written by whoever has it at the time; `lease` and
/// `abandoned` may meet, see {@link #abandon}.
final class Invocation implements RunnerCall, Waiter {
  private static final Logger LOG = LoggerFactory.getLogger(Invocation.class);
  private static final String TAIL = "tail";
  private static final byte[] NO_LOG = {};
  private static final int STATUS_ABANDONED = 499; // As other servers log a client that left.
  private static final int MAX_ACCOUNT_CHARACTERS = 128;

  private final InvokePath path;
  private final InvokeHandler handler;
  private final ChannelHandlerContext context;
  private final Answers.Connection connection;
  private final byte[] requestId;
  private final InvokeHeaders headers;
  private final InvokeTarget target;
  private final FunctionReference reference;
  private final long received;

  private @Nullable ByteBuf event;
  private @Nullable ResolvedFunction function;
  private @Nullable CallLog log;
  private boolean hitCache;
  private InvokeMetrics.PodSource podSource = InvokeMetrics.PodSource.UNKNOWN;
  private long resolved;
  private long dispatched;
  private volatile @Nullable Lease lease;
  private volatile boolean abandoned;

  /// Takes over a request.
  ///
  /// @param event the body; ownership passes to the invocation
  Invocation(
      InvokePath path,
      InvokeHandler handler,
      ChannelHandlerContext context,
      Answers.Connection connection,
      byte[] requestId,
      InvokeHeaders headers,
      InvokeTarget target,
      FunctionReference reference,
      ByteBuf event) {
    this.path = path;
    this.handler = handler;
    this.context = context;
    this.connection = connection;
    this.requestId = requestId;
    this.headers = headers;
    this.target = target;
    this.reference = reference;
    this.event = event;
    this.received = path.nanoTime.getAsLong();
  }

  /// Starts the call. On the connection's event loop.
  void begin() {
    if (!headers.invokeType().isEmpty()) {
      String type = headers.invokeType().toLowerCase(Locale.ROOT);
      if (type.equals("event") || type.equals("stream")) {
        fail(new ApiException(ErrorCode.NOT_IMPLEMENTED, "invoke type " + type));
        return;
      }
    }
    Optional<ResolvedFunction> cached = path.functions.fresh(reference);
    if (cached.isPresent()) {
      hitCache = true;
      proceed(cached.get());
      return;
    }
    try {
      checkReference();
    } catch (ApiException e) {
      fail(e);
      return;
    }
    beginLookUp();
  }

  /// Has the registry asked. Until it answers the call waits, and counts as one that does.
  private void beginLookUp() {
    int weight = weight();
    String limit = path.pool.waitingRoom().enter(weight);
    if (limit != null) {
      fail(
          path.functions.isRegistryGone()
              ? RegistryClient.noAnswer(limit)
              : Answers.overloaded(limit));
      return;
    }
    try {
      path.threads.execute(() -> lookUp(weight));
    } catch (RejectedExecutionException _) {
      path.pool.waitingRoom().leave(weight);
      fail(new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping"));
    }
  }

  /// The client is gone. On the connection's event loop.
  ///
  /// A call that waits is taken out of the queue. One that runs is cancelled, but keeps its lease
  /// until the runner is done with it. Between the two the pool may be granting the lease on
  /// another thread right now: whichever of the two writes comes second sees the other.
  void abandon() {
    abandoned = true;
    ResolvedFunction mine = function;
    Lease current = lease;
    if (current != null) {
      current.runner().cancel(this);
    } else if (mine != null && path.pool.withdraw(mine, this)) {
      releaseEvent();
      finish(STATUS_ABANDONED, path.nanoTime.getAsLong());
    }
  }

  @Override
  public void granted(Lease given) {
    lease = given;
    if (abandoned) {
      path.pool.release(given);
      releaseEvent();
      finish(STATUS_ABANDONED, path.nanoTime.getAsLong());
      return;
    }
    long now = path.nanoTime.getAsLong();
    dispatched = now;
    (podSource == InvokeMetrics.PodSource.WARM ? path.metrics.getPodWarm : path.metrics.getPodCold)
        .record(now - resolved);
    given.runner().invoke(this);
  }

  @Override
  public void refused(Refusal refusal) {
    releaseEvent();
    Optional<ApiException> failure = Answers.failure(refusal);
    if (failure.isPresent()) {
      fail(failure.get());
    } else if (refusal instanceof Refusal.LoadFailed loadFailed) {
      answer(true, Unpooled.wrappedBuffer(loadFailed.error()), path.nanoTime.getAsLong());
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
  public void logged(boolean stderr, ByteBuf text) {
    if (log != null) {
      log.add(stderr, text, path.clock.millis());
    }
  }

  @Override
  public void answered(boolean failed, ByteBuf payload) {
    long now = release();
    answer(failed, payload, now);
  }

  @Override
  public void timedOut() {
    long now = release();
    path.metrics.timeouts.increment();
    answer(true, Unpooled.wrappedBuffer(Answers.timeoutBody(label(), mine())), now);
  }

  @Override
  public void lost(Optional<RunnerExit> exit) {
    long now = release();
    path.metrics.runnersLost.increment();
    answer(
        true,
        Unpooled.wrappedBuffer(FunctionErrors.exited(Optional.of(label()), mine().memory(), exit)),
        now);
  }

  private void lookUp(int weight) {
    try {
      long deadline = received + path.rules.maxLookUp().toNanos();
      ResolvedFunction found;
      try {
        found = path.functions.load(reference, label(), deadline);
      } finally {
        path.pool.waitingRoom().leave(weight);
      }
      context.executor().execute(() -> proceed(found));
    } catch (ApiException e) {
      fail(e);
    } catch (RuntimeException e) {
      LOG.error("request={}: look-up of {} failed", label(), reference.name(), e);
      fail(new ApiException(ErrorCode.SERVICE, "", List.of(String.valueOf(e.getMessage()))));
    }
  }

  private void proceed(ResolvedFunction found) {
    long now = path.nanoTime.getAsLong();
    resolved = now;
    (hitCache ? path.metrics.getFunctionHitCache : path.metrics.getFunction).record(now - received);
    if (abandoned) {
      releaseEvent();
      finish(STATUS_ABANDONED, now);
      return;
    }
    if (path.rules.checksCaller() && !found.uid().equals(headers.account())) {
      fail(
          new ApiException(
              ErrorCode.INVALID_CALLER,
              "owner id " + found.uid() + " caller id " + headers.account()));
      return;
    }
    function = found;
    boolean wantsTail = wantsTail();
    if (wantsTail || found.keepsUserLog()) {
      log = new CallLog(found, label(), wantsTail, path.clock.millis());
    }
    podSource = InvokeMetrics.PodSource.COLD;
    switch (path.pool.acquire(found, this)) {
      case Lease given -> {
        podSource = InvokeMetrics.PodSource.WARM;
        granted(given);
      }
      case Acquisition.Queued _ -> {}
      case Acquisition.Refused refused -> refused(refused.refusal());
    }
  }

  /// @throws ApiException when the request does not name a revision of a function
  private void checkReference() {
    if (headers.account().length() > MAX_ACCOUNT_CHARACTERS) {
      // It is part of the cache's key.
      throw invalid(
          "account id of "
              + headers.account().length()
              + " characters (expected: at most "
              + MAX_ACCOUNT_CHARACTERS
              + ")",
          "");
    }
    if (!reference.isBrn() && FunctionBrn.isName(reference.name())) {
      if (reference.qualifier().isEmpty()) {
        throw invalid("missing query parameter Qualifier", "");
      }
      try {
        if (Qualifier.parse(reference.qualifier()) instanceof Qualifier.Version) {
          return;
        }
      } catch (InvalidBrnException _) {
        // Falls through to the one answer for whatever is not a version.
      }
      throw invalid("invalid function qualifier", "");
    }
    try {
      if (!(FunctionBrn.parse(reference.name()).qualifier() instanceof Qualifier.Version)) {
        throw invalid("invalid brn", "brn: no version: \"" + reference.name() + "\"");
      }
    } catch (InvalidBrnException e) {
      throw invalid("invalid brn", String.valueOf(e.getMessage()));
    }
  }

  private static ApiException invalid(String cause, String detail) {
    return new ApiException(
        ErrorCode.INVALID_PARAMETER, cause, detail.isEmpty() ? List.of() : List.of(detail));
  }

  private boolean wantsTail() {
    String given = headers.logType();
    if (given.equalsIgnoreCase(TAIL)) {
      return true;
    }
    return !given.equalsIgnoreCase("none") && target.logType().equalsIgnoreCase(TAIL);
  }

  private boolean wantsLogInBody() {
    return headers.logToBody().equals("true") || target.logToBody().equals("true");
  }

  /// Gives the slot back, first of all: the next call may be waiting for it. Returns when the call
  /// ended.
  private long release() {
    long ended = path.nanoTime.getAsLong();
    Lease given = lease;
    if (given != null) {
      path.pool.release(given);
      path.metrics.putPod.record(path.nanoTime.getAsLong() - ended);
    }
    return ended;
  }

  /// Answers with what the function, or the engine in its place, says.
  private void answer(boolean failed, ByteBuf body, long now) {
    long duration = dispatched == 0 ? -1 : now - dispatched;
    if (duration >= 0) {
      path.metrics.invoke.record(duration);
      path.metrics.scheduleOverhead.record(now - received - duration);
      path.metrics.stageSum.record(now - received);
    }
    int status = failed ? 500 : 200;
    finish(abandoned ? STATUS_ABANDONED : status, now);
    String tail = "";
    if (log != null) {
      tail = log.tail(Math.max(duration, 0) / 1_000_000);
      keepLog(log, status, Math.max(duration, 0));
    }
    if (abandoned) {
      return;
    }
    long exec = dispatched == 0 ? -1 : now - resolved;
    if (wantsLogInBody()) {
      answerInBody(failed, body.retain(), exec, tail);
      return;
    }
    byte[] logResult = tail.isEmpty() ? NO_LOG : Base64.getEncoder().encode(tail.getBytes(UTF_8));
    deliver(Answers.plain(context.alloc(), connection, requestId, failed, exec, logResult, body));
  }

  /// Escaping a body takes as long as the body is, so a thread does it.
  @SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
  private void answerInBody(boolean failed, ByteBuf body, long exec, String tail) {
    try {
      path.threads.execute(() -> {
        try {
          deliver(
              Answers.withLog(context.alloc(), connection, requestId, failed, exec, tail, body));
        } finally {
          body.release();
        }
      });
    } catch (RejectedExecutionException _) {
      body.release();
      context.close();
    }
  }

  private void keepLog(CallLog kept, int status, long duration) {
    Lease given = lease;
    Instant now = path.clock.instant();
    long epochNanos = now.getEpochSecond() * 1_000_000_000 + now.getNano();
    CallOutput output =
        kept.output(
            given == null ? "" : path.slotName(given.slotIndex()),
            headers.trigger().isEmpty() ? "generic" : headers.trigger().toLowerCase(Locale.ROOT),
            epochNanos - duration,
            status,
            duration / 1_000_000,
            now.toEpochMilli());
    if (output != null) {
      path.userLog.offer(output);
    }
  }

  /// Answers with a failure of the engine. Any thread.
  private void fail(ApiException failure) {
    releaseEvent();
    finish(failure.code().status(), path.nanoTime.getAsLong());
    deliver(Answers.error(context.alloc(), connection, requestId, failure));
  }

  private void deliver(ByteBuf answer) {
    if (context.executor().inEventLoop()) {
      handler.answer(this, answer, connection);
      return;
    }
    try {
      context.executor().execute(() -> handler.answer(this, answer, connection));
    } catch (RejectedExecutionException _) {
      answer.release(); // The engine is stopping; the connection is closed.
    }
  }

  private void finish(int status, long now) {
    path.metrics.recordAll(hitCache, podSource, status, now - received);
    if (status == STATUS_ABANDONED) {
      path.metrics.abandoned.increment();
    }
  }

  private void releaseEvent() {
    ByteBuf body = event;
    event = null;
    if (body != null) {
      body.release();
    }
  }

  private ResolvedFunction mine() {
    ResolvedFunction found = function;
    if (found == null) {
      throw new IllegalStateException("request " + label() + " has no function yet");
    }
    return found;
  }
}
