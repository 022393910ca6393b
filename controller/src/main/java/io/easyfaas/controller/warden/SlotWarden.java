package io.easyfaas.controller.warden;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.controller.pool.FunctionErrors;
import io.easyfaas.controller.pool.Reason;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.SlotEvent;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.CallEnds;
import io.easyfaas.controller.runtime.LoadOutcome;
import io.easyfaas.controller.runtime.LoadedFunction;
import io.easyfaas.controller.runtime.Printed;
import io.easyfaas.controller.runtime.RunnerCall;
import io.easyfaas.controller.runtime.RunnerConnection;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.controller.runtime.SlotChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Does the work on one slot. Thread-safe; the methods block, and are called on threads of their
/// own. Whoever works on a slot owns it until it has told the pool how the work ended: whatever is
/// thrown is told as a failure.
///
/// A warm-up is: funclet mounts code and starts the runner (10 s), the runner connects and says
/// HELLO (`Waits.runner`), the function is loaded (`Waits.load`). Whatever fails, the sandbox is
/// reset.
///
/// When a runner ends, its calls are answered after the reset, because only funclet, which reaps
/// the sandbox, knows how it ended.
final class SlotWarden {
  private static final Logger LOG = LoggerFactory.getLogger(SlotWarden.class);
  private static final String STATE_COLD = "cold";

  private final Warden warden;
  private final int index;
  private final ContainerId id;
  private final SlotChannel channel;
  // What is done in turn: a slot is not reset while it is being frozen, for example.
  private final ReentrantLock turn = new ReentrantLock();

  SlotWarden(Warden warden, int index, ContainerId id, SlotChannel channel) {
    this.warden = warden;
    this.index = index;
    this.id = id;
    this.channel = channel;
  }

  int index() {
    return index;
  }

  /// Whether the container is cold.
  static boolean isUsable(ContainerInfo container) {
    return container.state().equals(STATE_COLD) && container.currentEvent().isEmpty();
  }

  /// Starts a runner without a function.
  void prewarm(RuntimeConfiguration runtime) {
    try {
      ChannelAddress address = channel.offer().orElse(null);
      warden.funclet().prewarm(new PrewarmRequest(id, "", runtime, address));
      long deadline = System.nanoTime() + warden.waits().runner().toNanos();
      RunnerConnection runner = channel.awaitRunner(warden.waits().runner());
      runner.awaitHello(until(deadline));
      tell(new SlotEvent.Prewarmed(runner));
      runner.whenClosed(() -> tell(new SlotEvent.PrewarmedLost(runner)));
    } catch (Throwable e) {
      warn("{} could not be prewarmed: {}{}", runtime.name(), Failures.describe(e), printed());
      tell(new SlotEvent.PrewarmFailed());
    }
  }

  /// Tries whether the sandbox takes code, with a program that ends at once.
  void probe(RuntimeConfiguration program) {
    boolean succeeded = false;
    try {
      warden.funclet().prewarm(new PrewarmRequest(id, "", program, channel.offer().orElse(null)));
      succeeded = true;
    } catch (Throwable e) {
      warn("takes no code: {}", Failures.describe(e));
    }
    tell(new SlotEvent.Probed(succeeded));
  }

  /// Pauses the sandbox, if it is to be paused still.
  void freeze() {
    turn.lock();
    try {
      if (warden.pool().isFrozen(index)) { // Else a call came first.
        warden.funclet().freeze(new FreezeRequest(id, ""));
      }
    } catch (Throwable e) {
      warn("could not be frozen: {}", Failures.describe(e));
      tell(new SlotEvent.FreezeFailed());
    } finally {
      turn.unlock();
    }
  }

  /// Continues the sandbox.
  void thaw() {
    turn.lock();
    try {
      warden.funclet().thaw(new FreezeRequest(id, ""));
      tell(new SlotEvent.Thawed());
    } catch (Throwable e) {
      warn("could not be thawed: {}", Failures.describe(e));
      tell(new SlotEvent.ThawFailed());
    } finally {
      turn.unlock();
    }
  }

  /// Puts a function in.
  ///
  /// @param requestId of the call that needs it
  void warmUp(ResolvedFunction function, String requestId) {
    long mountStart = warden.clock().millis();
    try {
      ChannelAddress address = channel.offer().orElse(null);
      warden
          .funclet()
          .warmup(
              new WarmupRequest(
                  id,
                  requestId,
                  function.document().code(),
                  function.configuration(),
                  function.runtime(),
                  address));
      long mountEnd = warden.clock().millis();
      long deadline = System.nanoTime() + warden.waits().runner().toNanos();
      RunnerConnection runner = channel.awaitRunner(warden.waits().runner());
      LoadOutcome outcome =
          runner.load(
              new LoadedFunction(
                  function.uid(),
                  function.load(),
                  function.timeout(),
                  warden.logs().of(function, id)),
              until(deadline),
              warden.waits().load(),
              new Tenure(this, warden.pool(), warden.clock()::millis, mountStart, mountEnd));
      switch (outcome) {
        case LoadOutcome.Ready _ -> {} // The tenure has begun.
        case LoadOutcome.Failed failed ->
            tell(new SlotEvent.LoadFailed(failed.error(), failed.output()));
        case LoadOutcome.TimedOut _ ->
            tell(
                new SlotEvent.LoadFailed(
                    FunctionErrors.loadTimedOut(warden.waits().load()),
                    runner.printedWhileLoading()));
        case LoadOutcome.BrokeProtocol broken ->
            tell(
                new SlotEvent.LoadFailed(
                    FunctionErrors.brokeProtocol(broken.detail()), broken.output()));
        case LoadOutcome.NoRoom full -> throw new IllegalStateException(full.shortage());
        case LoadOutcome.Ended ended -> endLoad(function, requestId, ended.output());
      }
    } catch (Throwable e) {
      String what = Failures.describe(e);
      warn(
          "request={}: warm-up of {} failed: {}{}",
          requestId,
          function.key().brn(),
          what,
          printed());
      String detail = "warm up runtime " + id + " failed: " + what;
      tell(failed(e, requestId, detail));
    }
  }

  /// What funclet blames on the caller is the function's fault, and the next slot would tell the
  /// same.
  private SlotEvent failed(Throwable failure, String requestId, String detail) {
    return switch (failure) {
      case RunnerException _ ->
          isSandboxLost(requestId)
              ? new SlotEvent.WarmupFailed(detail, true)
              : new SlotEvent.RunnerNotStarted(detail);
      case ApiException refused ->
          switch (refused.code()) {
            case CODE_NOT_FOUND -> new SlotEvent.WarmupRefused(new Refusal.CodeGone(detail));
            case INVALID_PARAMETER, REQUEST_TOO_LARGE ->
                new SlotEvent.WarmupRefused(new Refusal.NeverFits(detail));
            case GATEWAY_TIMEOUT, RESOURCE_CONFLICT -> new SlotEvent.WarmupFailed(detail, true);
            default -> new SlotEvent.WarmupFailed(detail, refused.retryAfter().isPresent());
          };
      default -> new SlotEvent.WarmupFailed(detail, false);
    };
  }

  /// Whether the runner ended because its sandbox did, or funclet. Only a reset tells.
  private boolean isSandboxLost(String requestId) {
    try {
      return warden
          .funclet()
          .reborn(new ResetRequest(id, requestId, Reason.WARMUP_FAILED.word()))
          .wasEmpty();
    } catch (Throwable _) {
      return true;
    }
  }

  /// Makes the sandbox anew.
  ///
  /// @param lost calls that wait to be told how their runner ended
  void reset(Reason reason, List<RunnerCall> lost) {
    turn.lock();
    try {
      doReset(reason, lost);
    } finally {
      turn.unlock();
    }
  }

  /// {@link #reset} on a thread of its own, if the warden is not closed. Returns at once; the calls
  /// are told in any case.
  void resetLater(Reason reason, List<RunnerCall> lost) {
    try {
      if (warden.execute(() -> reset(reason, lost))) {
        return;
      }
    } catch (Error e) { // There is no thread left.
      warn("reset ({}) could not begin: {}", reason.word(), Failures.describe(e));
      tell(new SlotEvent.ResetFailed(true));
    }
    CallEnds.tell(lost, SlotWarden::lostWithSandbox);
  }

  /// Tells the pool that it did not take a warm-up that has succeeded. Returns at once.
  void refused(Throwable why) {
    tell(new SlotEvent.WarmupFailed(Failures.describe(why), false));
  }

  /// Ends the runner. Safe to call twice.
  void close() {
    channel.close();
  }

  /// User code ended the process before the function was loaded. Only a reset tells how, and the
  /// answer is to say it.
  private void endLoad(ResolvedFunction function, String requestId, List<Printed> output) {
    ResetResponse response;
    try {
      response =
          warden.funclet().reborn(new ResetRequest(id, requestId, Reason.LOAD_FAILED.word()));
    } catch (ApiException e) {
      warn("reset ({}) failed: {}", Reason.LOAD_FAILED.word(), Failures.describe(e));
      throw sandboxLost();
    }
    if (response.wasEmpty()) {
      throw sandboxLost();
    }
    LOG.info(
        "slot={} request={}: {} ended while loading{}",
        id,
        requestId,
        function.key().brn(),
        printed());
    channel.end();
    byte[] error =
        FunctionErrors.exited(
            Optional.empty(), function.memory(), Optional.ofNullable(response.exit()));
    tell(new SlotEvent.LoadEnded(error, output));
  }

  private void doReset(Reason reason, List<RunnerCall> lost) {
    String requestId = lost.isEmpty() ? "" : new String(lost.getFirst().requestId(), US_ASCII);
    SlotEvent outcome;
    try {
      String printed = printed();
      if (!reason.isPlanned() && !printed.isEmpty()) {
        LOG.info("slot={} printed{}", id, printed);
      }
      ResetRequest request = new ResetRequest(id, requestId, reason.word());
      ResetResponse response =
          reason.isPlanned()
              ? warden.funclet().cooldown(request)
              : warden.funclet().reborn(request);
      outcome = new SlotEvent.ResetDone();
      CallEnds.tell(
          lost,
          response.wasEmpty()
              ? SlotWarden::lostWithSandbox
              : call -> call.lost(Optional.ofNullable(response.exit())));
    } catch (Throwable e) {
      outcome = new SlotEvent.ResetFailed(warden.isFuncletGone());
      CallEnds.tell(lost, SlotWarden::lostWithSandbox);
      warn("reset ({}) failed: {}", reason.word(), Failures.describe(e));
    }
    try {
      channel.end();
    } finally {
      tell(outcome);
    }
  }

  /// A runner whose sandbox is gone, or whose funclet, has ended because of that: what its calls
  /// did is not known, and no fault of theirs. Nor is it known how one ended whose sandbox cannot
  /// be reset, for example because funclet makes it anew already.
  private static void lostWithSandbox(RunnerCall call) {
    call.failed(sandboxLost());
  }

  private static ApiException sandboxLost() {
    return new ApiException(ErrorCode.UNAVAILABLE, "the engine has lost the sandbox");
  }

  private void tell(SlotEvent event) {
    warden.pool().tell(index, event);
  }

  private void warn(String what, Object... arguments) {
    if (!warden.isClosed() && !warden.isFuncletGone()) { // Then everything fails.
      LOG.warn("slot=" + id + " " + what, arguments);
    }
  }

  private String printed() {
    String printed = channel.printed();
    return printed.isEmpty() ? "" : ": " + printed;
  }

  private static Duration until(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }
}
