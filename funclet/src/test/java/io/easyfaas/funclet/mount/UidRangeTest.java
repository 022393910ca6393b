package io.easyfaas.funclet.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

final class UidRangeTest {
  @Test
  void slotsOfOneEngineFollowEachOther() {
    assertThat(UidRange.of("00000000", 0).base()).isEqualTo(0x70000000L);
    assertThat(UidRange.of("00000000", 1).base()).isEqualTo(0x70000000L + UidRange.COUNT);
  }

  @Test
  void theLastSlotOfAnEngineEndsWhereTheNextEngineBegins() {
    long end = UidRange.of("00000000", UidRange.MAX_SLOTS - 1).base() + UidRange.COUNT;

    assertThat(UidRange.of("00000001", 0).base()).isEqualTo(end);
  }

  @Test
  void theHighestIdIsAPositiveInteger() {
    long last = UidRange.of("0000001e", UidRange.MAX_SLOTS - 1).base() + UidRange.COUNT - 1;

    assertThat(last).isLessThan(Integer.MAX_VALUE);
    assertThat(UidRange.of("ffffffff", 0).base()).isBetween(0x70000000L, last);
  }

  @Test
  void aSlotBeyondTheWindowIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> UidRange.of("00000000", 4096))
        .withMessage("slot: 4096 (expected: 0 to 4095)");
  }
}
