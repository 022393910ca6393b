package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// Who may wait, and who must make way, in a room of 4 calls and 100 bytes.
final class WaitingRoomTest {
  private final WaitingRoom room = new WaitingRoom(4, 100);

  @Test
  void oneAccountMayFillItWhileNobodyElseWantsIt() {
    enter("a", 4, 25);

    assertThat(room.calls()).isEqualTo(4);
    assertThat(room.isFull(0)).isTrue();
    assertThat(room.isOverfull(0)).isFalse();
    assertThat(room.enter("a", 0)).contains("4 calls wait already").contains("lets 4 wait");
    assertThat(room.calls()).isEqualTo(4);
  }

  @Test
  void whoHasLessThanHisShareEntersAllTheSame() {
    enter("a", 4, 25);

    assertThat(room.enter("b", 25)).isNull();
    assertThat(room.enter("b", 25)).isNull();
    assertThat(room.enter("b", 0)).as("the third of four, for two accounts").isNotNull();
    assertThat(room.isOverfull(0)).isTrue();
  }

  @Test
  void bytesHaveAnEndOfTheirOwn() {
    assertThat(room.enter("a", 100)).isNull();

    assertThat(room.enter("a", 1)).contains("100 bytes wait already").contains("--max-queue-bytes");
    assertThat(room.enter("b", 51)).as("more than half of it").isNotNull();
    assertThat(room.enter("b", 50)).isNull();
    assertThat(room.isOverfull(0)).as("150 bytes").isTrue();
    assertThat(room.isOverfull(1)).as("one call besides the served one").isTrue();
    assertThat(room.isOverfull(2)).as("all are served").isFalse();
  }

  @Test
  void whoLeavesMakesRoom() {
    enter("a", 4, 25);

    room.leave("a", 25);

    assertThat(room.calls()).isEqualTo(3);
    assertThat(room.isFull(0)).isFalse();
    assertThat(room.isOverfull(0)).isFalse();
    assertThat(room.share("a")).isEqualTo(0.75);
    assertThat(room.enter("a", 26)).as("one byte more than left").isNotNull();
    assertThat(room.enter("a", 25)).isNull();
    for (int i = 0; i < 4; i++) {
      room.leave("a", 25);
    }
    assertThat(room.calls()).isZero();
    assertThat(room.share("a")).isZero();
  }

  @Test
  void whoHasLeftHasNoShare() {
    enter("a", 1, 0);
    room.leave("a", 0);
    enter("b", 4, 0);

    enter("c", 2, 0);
    assertThat(room.enter("c", 0)).as("half of it is enough").isNotNull();
    assertThat(room.isFull("c", 0)).isTrue();
    assertThat(room.isFull("d", 0)).isFalse();
  }

  @Test
  void callsThatAreAsGoodAsServedDoNotCount() {
    enter("a", 4, 1);

    assertThat(room.isFull(1)).isFalse();
    assertThat(room.isFull("a", 0)).isTrue();
    assertThat(room.isFull("a", 1)).isFalse();
    assertThat(room.isFull("b", 0)).as("who has none of it").isFalse();
    assertThat(room.enterUncounted("a", 1)).isNull();
    assertThat(room.isOverfull(0)).isTrue();
    assertThat(room.isOverfull(1)).isFalse();
  }

  @Test
  void aShareIsThatOfThePlacesOrOfTheBytesWhicheverIsMore() {
    room.enter("a", 10);
    assertThat(room.share("a")).isEqualTo(0.25);
    room.enter("a", 50);
    assertThat(room.share("a")).isEqualTo(0.6);
    assertThat(room.share("b")).isZero();
  }

  @Test
  void itIsSharedWhenNobodyHasMoreThanOthersCouldHave() {
    enter("a", 2, 1);

    assertThat(room.isShared(2)).isTrue();
    assertThat(room.isShared(3)).as("more than a third of 4").isFalse();
    assertThat(room.isShared(0)).isTrue();
  }

  @Test
  void whereNoCallMayWaitForASlotQuestionsToTheRegistryMay() {
    WaitingRoom none = new WaitingRoom(0, 1000);
    for (int i = 0; i < 64; i++) {
      assertThat(none.enter("a", 1)).as("%d", i).isNull();
    }

    assertThat(none.enter("a", 1)).isNotNull();
    assertThat(none.share("a")).isEqualTo(64.0);
  }

  private void enter(String account, int calls, int weight) {
    for (int i = 0; i < calls; i++) {
      assertThat(room.enter(account, weight)).as("call %d of %s", i, account).isNull();
    }
  }
}
