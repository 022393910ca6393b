package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;

/// Keeps one slot, and as much of the memory as one has on average, from functions whose calls may
/// take longer than any call waits: nobody can take a slot from a call that runs, so whoever held
/// all of them that way would keep everybody else out until its calls end. Not thread-safe; made
/// for one choice.
///
/// Where there are few slots, none is kept.
final class LongCalls {
  private static final int MANY_SLOTS = 8;

  private final Slots slots;
  private final Duration longest;
  private final boolean isKept;
  // What was given and taken; what was held before is added when it is first needed.
  private boolean isCounted;
  private int held;
  private long memory;

  /// @param longest time that a slot may be held and is still given back soon enough
  LongCalls(Slots slots, Duration longest) {
    this.slots = slots;
    this.longest = longest;
    this.isKept = slots.size() >= MANY_SLOTS;
  }

  /// Whether the function is one that must leave a slot to others.
  boolean is(ResolvedFunction function) {
    return isKept && mayTakeLong(function);
  }

  /// Whether a call of the function may take longer than any call waits.
  boolean mayTakeLong(ResolvedFunction function) {
    return function.timeout().compareTo(longest) > 0;
  }

  /// Whether the function may have no slot but one of its kind's.
  boolean isAtLimit(ResolvedFunction function) {
    if (!is(function)) {
      return false;
    }
    count();
    long all = slots.allocatable().bytes();
    return held > 0
        && (held + 1 >= slots.size()
            || memory + function.memory().bytes() > all - all / slots.size());
  }

  /// The function was given a slot.
  void given(ResolvedFunction function) {
    if (is(function)) {
      held++;
      memory += function.memory().bytes();
    }
  }

  /// A slot was taken from the function.
  void taken(ResolvedFunction function, long bytes) {
    if (is(function)) {
      held--;
      memory -= bytes;
    }
  }

  private void count() {
    if (isCounted) {
      return;
    }
    isCounted = true;
    for (Slot slot : slots.all()) {
      ResolvedFunction function = slot.function();
      if (function != null && is(function)) {
        held++;
        memory += slot.memory();
      }
    }
  }
}
