package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.time.Duration;
import java.util.Optional;

/// Whether sandboxes can take code, as far as it is known. Not thread-safe; owned by {@link
/// SlotPool} and guarded by its lock.
///
/// A probe decides it: a program that needs no language and no function is put into a cold slot, at
/// the start and whenever warm-ups have failed in a row. Functions alone never decide it, since
/// their code may be the reason; but one that was put in shows that it works.
final class Fitness {
  private static final int SUSPICIOUS_FAILURES = 3;
  private static final Duration RETRY = Duration.ofSeconds(5);

  private enum Finding {
    UNTRIED,
    FIT,
    UNFIT
  }

  private final Optional<RuntimeConfiguration> program;
  private Finding finding;
  private int failures; // Warm-ups that failed since the last that did not, or the last probe.
  private boolean isProbing;
  private long probedAt;

  /// @param program what is tried; without one sandboxes are taken for fit
  Fitness(Optional<RuntimeConfiguration> program) {
    this.program = program;
    this.finding = program.isPresent() ? Finding.UNTRIED : Finding.FIT;
  }

  boolean isUntried() {
    return finding == Finding.UNTRIED;
  }

  boolean isUnfit() {
    return finding == Finding.UNFIT;
  }

  /// A runner was started in a sandbox.
  void succeeded() {
    finding = Finding.FIT;
    failures = 0;
  }

  /// A runner or a function could not be put into a sandbox.
  void failed() {
    failures++;
  }

  /// A probe has ended.
  void probed(boolean succeeded, long now) {
    isProbing = false;
    probedAt = now;
    failures = 0;
    finding = succeeded ? Finding.FIT : Finding.UNFIT;
  }

  /// Has the first cold slot tried, if that is to be found out.
  void probe(Slots slots, long now) {
    boolean isDue =
        switch (finding) {
          case UNTRIED -> true;
          case FIT -> failures >= SUSPICIOUS_FAILURES;
          case UNFIT -> now - probedAt >= RETRY.toNanos();
        };
    if (isDue && !isProbing) {
      program.ifPresent(what ->
          slots
              .first(SlotState.Cold.class, 0)
              .ifPresent(slot -> {
                isProbing = true;
                slots.probe(slot, what);
              }));
    }
  }
}
