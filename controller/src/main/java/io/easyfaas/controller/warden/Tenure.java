package io.easyfaas.controller.warden;

import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.Reason;
import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.pool.WarmupTimes;
import io.easyfaas.controller.runtime.CallEnds;
import io.easyfaas.controller.runtime.Runner;
import io.easyfaas.controller.runtime.RunnerCall;
import io.easyfaas.controller.runtime.RunnerEvents;
import io.easyfaas.controller.runtime.RunnerLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// One warm-up's runner, from LOAD to its end. A loss that comes while the pool is giving the
/// lease, and sends the first calls, waits for it. Confined to the runner's event loop.
final class Tenure implements RunnerEvents {
  private final SlotWarden slot;
  private final SlotPool pool;
  private final LongSupplier epochMillis;
  private final long mountStart;
  private final long mountEnd;
  private long loadStart;
  private @Nullable Lease lease;
  private @Nullable Reason lostReason;
  private final List<RunnerCall> pending = new ArrayList<>();

  /// @param mountStart when funclet was asked to put the function in, in milliseconds
  /// @param mountEnd when it had done so
  Tenure(SlotWarden slot, SlotPool pool, LongSupplier epochMillis, long mountStart, long mountEnd) {
    this.slot = slot;
    this.pool = pool;
    this.epochMillis = epochMillis;
    this.mountStart = mountStart;
    this.mountEnd = mountEnd;
  }

  @Override
  public void loading(Runner runner) {
    loadStart = epochMillis.getAsLong();
  }

  @Override
  public void ready(Runner runner) {
    WarmupTimes times = new WarmupTimes(mountStart, mountEnd, loadStart, epochMillis.getAsLong());
    Lease given;
    try {
      given = pool.connected(slot.index(), runner, times);
    } catch (Throwable e) {
      slot.refused(e); // Who waits for the warm-up takes it for done.
      throw e;
    }
    lease = given;
    if (lostReason != null) {
      try {
        end(given, lostReason, pending);
      } catch (Throwable e) {
        CallEnds.tell(pending, call -> call.failed(e)); // The runner has left them to this.
      }
    }
  }

  @Override
  public void timedOut(Runner runner) {
    drain(Reason.TIMEOUT);
  }

  @Override
  public void ending(Runner runner) {
    drain(Reason.RUNNER_EXITED);
  }

  @Override
  public void lost(Runner runner, RunnerLoss why, List<RunnerCall> calls) {
    Reason reason =
        switch (why) {
          case EXITED -> Reason.RUNNER_EXITED;
          case BROKE_PROTOCOL -> Reason.PROTOCOL_ERROR;
          case SILENT -> Reason.RUNNER_SILENT;
        };
    Lease current = lease;
    if (current != null) {
      end(current, reason, calls);
    } else {
      lostReason = reason;
      pending.addAll(calls);
    }
  }

  private void drain(Reason reason) {
    Lease current = lease;
    if (current != null) {
      pool.drain(current, reason);
    }
  }

  private void end(Lease given, Reason reason, List<RunnerCall> calls) {
    if (pool.lost(given, reason)) {
      slot.resetLater(reason, calls);
    } else {
      CallEnds.tell(calls, call -> call.lost(Optional.empty()));
    }
  }
}
