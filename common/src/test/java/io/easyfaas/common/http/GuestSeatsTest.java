package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class GuestSeatsTest {
  private final GuestSeats seats = new GuestSeats(24);

  @Test
  void anAccountLeavesAsManyAsItHas() {
    assertThat(takeAll("a")).isEqualTo(12);
    assertThat(takeAll("b")).isEqualTo(6);
    assertThat(takeAll("c")).isEqualTo(3);
    assertThat(takeAll("a")).isZero();
  }

  @Test
  void whatIsGivenBackIsForWhoHasLess() {
    takeAll("a");
    takeAll("b");

    seats.leave("a");

    assertThat(takeAll("a")).isZero();
    assertThat(takeAll("b")).isEqualTo(1);
    assertThat(takeAll("c")).isEqualTo(3);
  }

  @Test
  void allAreFreeAgainWhenAllHaveLeft() {
    for (int round = 0; round < 3; round++) {
      int taken = takeAll("a");
      assertThat(taken).isEqualTo(12);
      IntStream.range(0, taken).forEach(_ -> seats.leave("a"));
    }
  }

  private int takeAll(String account) {
    int taken = 0;
    while (seats.take(account)) {
      taken++;
    }
    return taken;
  }
}
