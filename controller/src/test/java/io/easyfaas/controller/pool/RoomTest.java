package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Placement.Decision;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What there is to give, and what is left of it.
final class RoomTest {
  private static final SlotState COLD = FixedSlots.COLD;

  private final FixedSlots slots = new FixedSlots();
  private final ResolvedFunction idle = PoolHarness.function("idle", Traits.of("echo"));
  private final ResolvedFunction python =
      PoolHarness.function("python", Traits.of("echo"), "python3");

  @Test
  void aSlotAndMemoryAreToBeHad() {
    assertThat(room(128, COLD).hasAny(false)).isTrue();
    assertThat(room(128, COLD, FixedSlots.stopping(128)).hasAny(true)).isFalse();
    assertThat(room(128, slots.warm(idle, 0)).hasAny(false)).isTrue();
    assertThat(room(128, FixedSlots.prewarmed(idle)).hasAny(false)).isTrue();
    assertThat(room(256, slots.warm(idle, 1)).hasAny(false)).isFalse();
    assertThat(room(256, slots.warm(idle, 1)).hasAny(true)).isTrue();
  }

  @Test
  void whatIsStartedIsThereNoMore() {
    Room room = room(257, COLD, COLD, COLD);

    assertThat(start(room, 128)).isEqualTo(0);
    assertThat(start(room, 130)).isEqualTo(-1);
    assertThat(start(room, 100)).isEqualTo(1);
    assertThat(start(room, 28)).isEqualTo(2);
    assertThat(start(room, 1)).as("no slot").isEqualTo(-1);
  }

  @Test
  void aReadyRunnerBringsItsMemoryAlong() {
    Room room = room(512, COLD, FixedSlots.prewarmed(idle), FixedSlots.prewarmed(python));

    assertThat(start(room, 385)).as("256 are free, 128 its own").isEqualTo(-1);
    assertThat(start(room, 200)).isEqualTo(1);
    assertThat(start(room, 185)).as("184 are left").isEqualTo(-1);
    assertThat(start(room, 184)).isEqualTo(0);
  }

  @Test
  void allThatIsFreeAndAReadyRunnersIsOneFunctions() {
    assertThat(start(room(512, FixedSlots.prewarmed(idle)), 512)).isEqualTo(0);
  }

  @Test
  void whatIsStartedOrClaimedIsItsAccounts() {
    Room room = room(1024, COLD, COLD, COLD, COLD);
    PooledFunction other = function("other", 128);
    assertThat(room.shareWith(other)).isEqualTo(0.25);

    start(room, 128);
    assertThat(room.shareWith(other)).isEqualTo(0.5);

    room.claim(function("claims", 128));
    assertThat(room.shareWith(other)).isEqualTo(0.75);
  }

  @Test
  void functionsThatMayTakeLongLeaveOneSlot() {
    PooledFunction slow = slow();
    List<SlotState> six = new ArrayList<>(Collections.nCopies(6, slots.warm(slow.function, 1)));
    six.addAll(List.of(COLD, COLD));

    Room started = room(2048, six.toArray(SlotState[]::new));
    assertThat(started.start(slow)).isEqualTo(6);
    assertThat(started.start(slow)).isEqualTo(-1);
    assertThat(start(started, 128)).isEqualTo(7);

    Room claimed = room(2048, six.toArray(SlotState[]::new));
    claimed.claim(slow);
    assertThat(claimed.start(slow)).isEqualTo(-1);
    claimed.claim(slow);
    assertThat(start(claimed, 128)).as("a claim beyond the limit keeps nothing").isEqualTo(6);
  }

  @Test
  void aClaimKeepsAColdSlotAndMemory() {
    Room room = room(300, COLD, COLD);

    room.claim(function("claims", 200));

    assertThat(start(room, 101)).isEqualTo(-1);
    assertThat(start(room, 99)).isEqualTo(0);
    assertThat(start(room, 1)).as("the second slot is kept").isEqualTo(-1);
  }

  @Test
  void aClaimKeepsWhatIsComing() {
    Room room = room(128 + 128, slots.warm(idle, 0), FixedSlots.stopping(128));
    assertThat(room.makeRoom(function("first", 128), false)).as("it is waited for").isEmpty();

    room.claim(function("first", 128));

    assertThat(room.makeRoom(function("second", 128), false))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void aClaimTakesTheMemoryThatIsFreeBeforeWhatIsComing() {
    SlotState coming = FixedSlots.stopping(100);
    Room room = room(100 + 200 + 128, slots.warm(idle, 0), coming, coming);

    room.claim(function("claims", 250));

    assertThat(room.makeRoom(function("small", 50), false)).isEmpty();
    assertThat(room.makeRoom(function("larger", 51), false))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void whatIsFreeAndWhatIsComingCountTogether() {
    Room memory = room(64 + 64 + 128, slots.warm(idle, 0), FixedSlots.stopping(64));
    assertThat(memory.makeRoom(function("f", 128), false)).isEmpty();
    assertThat(memory.makeRoom(function("g", 129), false)).isNotEmpty();

    Room slot = room(128 + 128, slots.warm(idle, 0), COLD, FixedSlots.stopping(128));
    assertThat(slot.makeRoom(function("f", 128), false)).isEmpty();
  }

  @Test
  void whatIsTakenFromOthersIsComing() {
    ResolvedFunction large = PoolHarness.function("large", Traits.of("echo").memory(200));
    Room room = room(400, slots.warm(large, 0), slots.warm(large, 0));

    assertThat(room.makeRoom(function("f", 128), false)).hasSize(1);

    assertThat(room.makeRoom(function("g", 200), false)).as("that slot would do").isEmpty();
    assertThat(room.makeRoom(function("h", 201), false)).hasSize(1);
    assertThat(room.hasAny(true)).isFalse();
  }

  private Room room(int allocatableMebibytes, SlotState... states) {
    Slots all = slots.of(allocatableMebibytes, List.of(states));
    return new Room(all, FixedSlots.NOW, new LongCalls(all, Duration.ofSeconds(5)));
  }

  private int start(Room room, int mebibytes) {
    return room.start(function("f" + mebibytes, mebibytes));
  }

  private PooledFunction function(String name, int mebibytes) {
    return slots.pooled(PoolHarness.function(name, Traits.of("echo").memory(mebibytes)));
  }

  private PooledFunction slow() {
    return slots.pooled(PoolHarness.function("slow", Traits.of("echo").timeout(6)));
  }
}
