package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Every slot, by index and by state, with the memory they hold and the functions they serve: the
/// only place where a slot moves from state to state. Not thread-safe; owned by {@link SlotPool}
/// and guarded by its lock.
///
/// A move that needs slow work has it as an effect. What is known of the slots together follows
/// from their states at each move, so that nobody has to look through a thousand of them, and
/// nothing can drift apart.
final class Slots {
  private final List<Slot> all = new ArrayList<>();
  private final Map<Class<?>, BitSet> byState = new HashMap<>();
  private final Map<SlotMove, Long> moves = new HashMap<>();
  private final PooledFunctions functions;
  private final Effects effects;
  private final PoolClock clock;
  private ByteSize allocatable;
  private long held;

  /// @param states of each container's slot at first
  /// @param allocatable memory that all of them together may have
  Slots(
      Map<ContainerId, SlotState> states,
      ByteSize allocatable,
      PooledFunctions functions,
      Effects effects,
      PoolClock clock) {
    this.allocatable = allocatable;
    this.functions = functions;
    this.effects = effects;
    this.clock = clock;
    states.forEach((id, state) -> {
      Slot slot = new Slot(all.size(), id, state);
      all.add(slot);
      held += state.memory().bytes();
      in(slot.kind()).set(slot.index);
      PooledFunction function = occupant(slot);
      if (function != null) {
        function.enter(slot);
      }
      hold(slot, 1);
    });
  }

  /// Now, by the clock of the states.
  long now() {
    return clock.nanos();
  }

  int size() {
    return all.size();
  }

  Slot get(int index) {
    return all.get(index);
  }

  Optional<Slot> find(ContainerId id) {
    return all.stream().filter(slot -> slot.id.equals(id)).findFirst();
  }

  /// All of them, by index. Not a copy.
  List<Slot> all() {
    return Collections.unmodifiableList(all);
  }

  /// The accounts that may have some. Not a copy.
  Collection<PooledAccount> accounts() {
    return functions.accounts();
  }

  /// Memory that all of them together may have.
  ByteSize allocatable() {
    return allocatable;
  }

  void allocatable(ByteSize memory) {
    allocatable = memory;
  }

  /// Bytes of it that none holds; negative when it was cut below what is held.
  long free() {
    return allocatable.bytes() - held;
  }

  int count(Class<? extends SlotState> state) {
    return in(state).cardinality();
  }

  boolean isAny(Class<? extends SlotState> state) {
    return !in(state).isEmpty();
  }

  /// Whether none can be used before a reset succeeds that has failed.
  boolean areAllBroken() {
    for (Slot slot : all) {
      if (!slot.isBroken()) {
        return false;
      }
    }
    return true;
  }

  /// Whether a warm one runs no call.
  boolean isAnyIdle() {
    BitSet warm = in(SlotState.Warm.class);
    for (int i = warm.nextSetBit(0); i >= 0; i = warm.nextSetBit(i + 1)) {
      if (!all.get(i).isBusy()) {
        return true;
      }
    }
    return false;
  }

  /// The slot in a state with the lowest index that is not below `from`; empty when there is none.
  Optional<Slot> first(Class<? extends SlotState> state, int from) {
    int index = in(state).nextSetBit(from);
    return index < 0 ? Optional.empty() : Optional.of(all.get(index));
  }

  /// Tells the slots in a state, by index. A slot that moves meanwhile may be told or not.
  void forEach(Class<? extends SlotState> state, Consumer<Slot> action) {
    BitSet slots = in(state);
    for (int i = slots.nextSetBit(0); i >= 0; i = slots.nextSetBit(i + 1)) {
      action.accept(all.get(i));
    }
  }

  /// How often slots have moved, since the start.
  Map<SlotMove, Long> moves() {
    return Map.copyOf(moves);
  }

  /// A function is to be put into a cold or prewarmed slot.
  ///
  /// @param requestId of the call that needs it
  void occupy(Slot slot, PooledFunction function, String requestId) {
    ResolvedFunction revision = function.function;
    SlotState.WarmingUp warming =
        switch (slot.state()) {
          case SlotState.Cold cold -> cold.occupy(revision);
          case SlotState.Prewarmed waiting -> waiting.occupy(revision);
          default -> throw refused(slot, "occupy");
        };
    move(slot, warming, Reason.CALL, " function=" + revision.key().brn());
    slot.lastAccessMillis = clock.millis();
    effects.add(new Effect.WarmUp(slot.index, revision, requestId));
  }

  /// A runner is to be started in a cold slot.
  void prewarm(Slot slot, RuntimeConfiguration runtime, ByteSize memory) {
    if (!(slot.state() instanceof SlotState.Cold cold)) {
      throw refused(slot, "prewarm");
    }
    SlotState.Prewarming prewarming = cold.prewarm(runtime, memory, clock.nanos());
    move(slot, prewarming, Reason.STANDBY, " runtime=" + runtime.name());
    effects.add(new Effect.Prewarm(slot.index, runtime));
  }

  /// It is to be tried whether a cold slot can take code; it is reset afterwards.
  void probe(Slot slot, RuntimeConfiguration program) {
    if (!(slot.state() instanceof SlotState.Cold cold)) {
      throw refused(slot, "probe");
    }
    move(slot, cold.prewarm(program, ByteSize.ZERO, clock.nanos()), Reason.PROBE);
    effects.add(new Effect.Probe(slot.index, program));
  }

  /// An idle slot is to be paused.
  void freeze(Slot slot, SlotState.Warm warm) {
    move(slot, warm.freeze(), Reason.IDLE);
    effects.add(new Effect.Freeze(slot.index));
  }

  /// A slot could not be paused, and is tried again at a time.
  ///
  /// @param retryAt by the clock of the states
  void freezeFailed(Slot slot, SlotState.Frozen frozen, long retryAt) {
    slot.state(frozen.failed(retryAt));
  }

  /// A slot that could not be paused is to be, once more.
  void freezeAgain(Slot slot, SlotState.Frozen frozen) {
    slot.state(frozen.retry());
    effects.add(new Effect.Freeze(slot.index));
  }

  /// A slot's pause is to end.
  void thaw(Slot slot) {
    if (!(slot.state() instanceof SlotState.Frozen frozen)) {
      throw refused(slot, "thaw");
    }
    move(slot, frozen.thaw(), Reason.CALL);
    effects.add(new Effect.Thaw(slot.index));
  }

  /// A call of a slot that drains has ended; the last one has it reset.
  void give(Slot slot, SlotState.Draining draining) {
    SlotState.Draining left = draining.give();
    slot.state(left);
    if (left.inFlight() == 0) {
      stop(slot, left.reason());
    }
  }

  /// A warm slot takes no more calls, and is reset when it has none left: at once when it is idle.
  void drain(Slot slot, SlotState.Warm warm, Reason reason) {
    if (warm.isIdle()) {
      stop(slot, reason);
    } else {
      move(slot, warm.drain(reason), reason);
    }
  }

  /// Moves a slot to a state that nothing has to follow.
  void move(Slot slot, SlotState next, Reason reason) {
    move(slot, next, reason, "");
  }

  /// @param detail as in {@link Effect.Log}
  private void move(Slot slot, SlotState next, Reason reason, String detail) {
    SlotState before = slot.state();
    PooledFunction had = occupant(slot);
    int coming = slot.coming();
    hold(slot, -1);
    in(slot.kind()).clear(slot.index);
    slot.state(next);
    hold(slot, 1);
    in(slot.kind()).set(slot.index);
    held += next.memory().bytes() - before.memory().bytes();
    PooledFunction has = occupant(slot);
    if (had == null && has != null) {
      has.enter(slot);
    }
    PooledFunction function = has == null ? had : has;
    if (function != null) {
      function.coming(slot.coming() - coming);
    }
    if (had != null && has == null) {
      had.leave(slot, clock.nanos());
      functions.forgetUnused(had);
    }
    moves.merge(new SlotMove(before.name(), next.name(), reason), 1L, Long::sum);
    effects.add(new Effect.Log(slot.id, before.name(), next.name(), reason, detail));
  }

  /// A slot's sandbox is new.
  void renew(Slot slot, SlotState.Stopping stopping) {
    slot.lastResetMillis = clock.millis();
    move(slot, stopping.reset(), stopping.reason());
  }

  /// Takes a slot out of use; whoever calls has it reset.
  ///
  /// @param reason of the reset; one that drains or is out of use already keeps its own
  void end(Slot slot, Reason reason) {
    long now = clock.nanos();
    switch (slot.state()) {
      case SlotState.Stoppable state -> move(slot, state.stop(reason, now), reason);
      case SlotState.Draining draining -> move(slot, draining.stop(now), reason);
      case SlotState.Closed closed -> move(slot, closed.repair(now), closed.reason());
      case SlotState.Stopping _ -> throw refused(slot, "stop");
    }
  }

  /// Takes a slot out of use, and has it reset.
  void stop(Slot slot, Reason reason) {
    end(slot, reason);
    if (slot.state() instanceof SlotState.Stopping stopping) {
      effects.add(new Effect.Reset(slot.index, stopping.reason()));
    }
  }

  /// The function that a slot serves or is warmed up for; null when it has none, or none any more.
  @Nullable PooledFunction occupant(Slot slot) {
    return switch (slot.state()) {
      case SlotState.WarmingUp warming -> functions.get(warming.function());
      case SlotState.Warm warm -> warm.lease().function;
      case SlotState.Frozen frozen -> frozen.lease().function;
      case SlotState.Thawing thawing -> thawing.lease().function;
      case SlotState.Cold _,
          SlotState.Prewarming _,
          SlotState.Prewarmed _,
          SlotState.Draining _,
          SlotState.Stopping _,
          SlotState.Closed _ ->
          null;
    };
  }

  /// Counts a slot to its account, or no more. One that drains is its account's until it is reset.
  private void hold(Slot slot, int change) {
    PooledFunction holder =
        slot.state() instanceof SlotState.Draining draining
            ? draining.lease().function
            : occupant(slot);
    if (holder != null) {
      holder.account.hold(change, change * slot.memory());
    }
  }

  /// The failure of a move that the slot's state does not have.
  static IllegalStateException refused(Slot slot, String move) {
    return new IllegalStateException(
        "slot " + slot.id + " is " + slot.state().name() + ": " + move + " is not allowed");
  }

  private BitSet in(Class<?> state) {
    return byState.computeIfAbsent(state, _ -> new BitSet());
  }
}
