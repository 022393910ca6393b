package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What functions get whose calls may take longer than 5 s, of slots with 128 MiB each.
final class LongCallsTest {
  private static final long MEBIBYTE = 1L << 20;

  private final FixedSlots slots = new FixedSlots();
  private final ResolvedFunction slow = slow(128);
  private final ResolvedFunction inTime =
      PoolHarness.function("in-time", Traits.of("echo").timeout(5));

  @Test
  void theyAreThoseThatMayTakeLongerWhereThereAreManySlots() {
    assertThat(calls(8, List.of()).is(slow)).isTrue();
    assertThat(calls(8, List.of()).is(inTime)).isFalse();
    assertThat(calls(7, List.of()).is(slow)).isFalse();
    assertThat(calls(7, List.of()).mayTakeLong(slow)).isTrue();
  }

  @Test
  void theLastSlotIsNotTheirs() {
    assertThat(calls(8, holding(6, slow(16))).isAtLimit(slow)).isFalse();
    assertThat(calls(8, holding(7, slow(16))).isAtLimit(slow(16))).isTrue();
    assertThat(calls(8, holding(7, slow(16))).isAtLimit(inTime)).isFalse();
    assertThat(calls(8, holding(7, inTime)).isAtLimit(slow)).isFalse();
  }

  @Test
  void anAverageSlotsMemoryIsNotTheirs() {
    assertThat(calls(8, holding(1, slow(768))).isAtLimit(slow(128))).isFalse();
    assertThat(calls(8, holding(1, slow(768))).isAtLimit(slow(129))).isTrue();
  }

  @Test
  void theFirstOfThemGetsWhatItNeeds() {
    assertThat(calls(8, List.of()).isAtLimit(slow(1024))).isFalse();
  }

  @Test
  void whatIsGivenCountsFromThenOn() {
    LongCalls bySlots = calls(8, holding(6, slow(16)));
    bySlots.given(inTime);
    assertThat(bySlots.isAtLimit(slow(16))).isFalse();
    bySlots.given(slow(16));
    assertThat(bySlots.isAtLimit(slow(16))).isTrue();

    LongCalls byMemory = calls(8, holding(1, slow(256)));
    byMemory.given(slow(512));
    assertThat(byMemory.isAtLimit(slow(128))).isFalse();
    assertThat(byMemory.isAtLimit(slow(129))).isTrue();
  }

  @Test
  void whatIsTakenCountsNoMore() {
    LongCalls bySlots = calls(8, holding(7, slow(16)));
    bySlots.taken(inTime, 16 * MEBIBYTE);
    assertThat(bySlots.isAtLimit(slow(16))).isTrue();
    bySlots.taken(slow(16), 16 * MEBIBYTE);
    assertThat(bySlots.isAtLimit(slow(16))).isFalse();

    LongCalls byMemory = calls(8, holding(2, slow(384)));
    assertThat(byMemory.isAtLimit(slow(129))).isTrue();
    byMemory.taken(slow(384), 384 * MEBIBYTE);
    assertThat(byMemory.isAtLimit(slow(512))).isFalse();
    assertThat(byMemory.isAtLimit(slow(513))).isTrue();
  }

  private static ResolvedFunction slow(int mebibytes) {
    return PoolHarness.function(
        "slow-" + mebibytes, Traits.of("echo").timeout(6).memory(mebibytes));
  }

  private List<SlotState> holding(int count, ResolvedFunction function) {
    return Collections.nCopies(count, slots.warm(function, 0));
  }

  private LongCalls calls(int size, List<SlotState> held) {
    List<SlotState> states = new ArrayList<>(held);
    while (states.size() < size) {
      states.add(FixedSlots.COLD);
    }
    return new LongCalls(slots.of(size * 128, states), Duration.ofSeconds(5));
  }
}
