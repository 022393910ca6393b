package io.easyfaas.common.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

final class ByteBudgetTest {
  private final ByteBudget budget = new ByteBudget(1000);
  private final List<String> granted = new ArrayList<>();

  @Test
  void oneReservationMayTakeAllWhenNobodyHasAnything() {
    Reservation all = body("a");

    assertThat(all.grow(1001)).isFalse();
    assertThat(all.grow(1000)).isTrue();
    assertThat(budget.usage().reserved()).isEqualTo(1000);
  }

  @Test
  void oneThatGrowsInStepsMayTakeAllAsLongAsItIsAlone() {
    Reservation steps = body("a");
    for (int i = 0; i < 9; i++) {
      assertThat(steps.grow(100)).as("step %d", i).isTrue();
    }
    Reservation other = body("b");
    assertThat(other.grow(50)).isTrue();

    assertThat(steps.grow(50)).as("not alone any more").isFalse();
    other.close();
    assertThat(steps.grow(100)).isTrue();
    assertThat(steps.grow(1)).isFalse();
  }

  @Test
  void anAccountGetsNoMoreThanIsLeftForTheOthers() {
    List<Reservation> greedy = new ArrayList<>();
    while (true) {
      Reservation next = body("greedy");
      if (!next.grow(100)) {
        break;
      }
      greedy.add(next);
    }

    assertThat(greedy).hasSize(5); // Half of all.
    assertThat(body("second").grow(200)).isTrue();
    assertThat(body("second").grow(100)).as("it has 200 and 300 are free").isTrue();
    assertThat(body("second").grow(1)).as("it has 300 and 200 are free").isFalse();
    assertThat(body("third").grow(100)).as("there is always something for who is new").isTrue();
  }

  @Test
  void whatIsClosedIsFreeAgainOnce() {
    Reservation one = body("a");
    Reservation other = body("a");
    assertThat(one.grow(300)).isTrue();
    assertThat(other.grow(100)).isTrue();

    one.close();
    one.close();

    assertThat(budget.usage().reserved()).isEqualTo(100);
    assertThat(one.grow(1)).as("closed for good").isFalse();
    one.add(10);
    assertThat(budget.usage().reserved()).isEqualTo(100);
  }

  @Test
  void neverGivesBackMoreThanThereIs() {
    Reservation one = body("a");
    assertThat(one.grow(300)).isTrue();

    one.shrink(200);
    one.shrink(200);

    assertThat(one.bytes()).isZero();
    assertThat(budget.usage().reserved()).isZero();
  }

  @Test
  void waitersOfAnAccountAreServedInTheirOrder() {
    Reservation holder = body("a");
    assertThat(holder.grow(900)).isTrue();
    waitFor("a", 200, "first");
    waitFor("a", 10, "second");

    assertThat(body("a").grow(1)).as("nobody passes those who wait").isFalse();
    holder.close();

    assertThat(granted).containsExactly("first", "second");
    assertThat(budget.usage().reserved()).as("reserved before they are told").isEqualTo(210);
  }

  @Test
  void anAccountThatHasTooMuchDoesNotHoldUpTheOthers() {
    Reservation greedy = body("greedy");
    Reservation holder = body("b");
    assertThat(greedy.grow(500)).isTrue();
    assertThat(holder.grow(250)).isTrue();
    waitFor("greedy", 100, "greedy");
    waitFor("c", 300, "c");
    assertThat(granted).isEmpty();

    holder.close();

    assertThat(granted).containsExactly("c");
  }

  @Test
  void whoGivesUpIsNotServedAndIsCounted() {
    Reservation holder = body("a");
    assertThat(holder.grow(1000)).isTrue();
    Reservation first = waitFor("a", 200, "first");
    Reservation second = waitFor("a", 200, "second");
    waitFor("a", 200, "third");
    assertThat(body().waiting()).isEqualTo(3);

    first.refuse();
    second.close();
    holder.close();

    assertThat(granted).containsExactly("third");
    assertThat(body()).isEqualTo(new BudgetUsage.Part(200, 0, 1));
  }

  @Test
  void waitersWhoAllGaveUpHoldUpNobody() {
    Reservation holder = body("a");
    assertThat(holder.grow(600)).isTrue();
    waitFor("a", 500, "gone").close();

    holder.shrink(300);

    assertThat(body("a").grow(100)).isTrue();
  }

  @Test
  void whoWaitsWhileThereIsRoomIsServedAtOnce() {
    waitFor("a", 1000, "all");

    assertThat(granted).containsExactly("all");
  }

  @Test
  void bytesThatAreThereAreCountedThoughThereIsNoRoom() {
    Reservation holder = body("a");
    assertThat(holder.grow(900)).isTrue();
    Reservation answer = budget.open(ByteKind.ANSWER, "b");

    answer.add(500);

    assertThat(budget.usage().reserved()).isEqualTo(1400);
    assertThat(body("c").grow(1)).isFalse();
    answer.close();
    assertThat(body("c").grow(1)).isTrue();
  }

  @Test
  void aWaiterWhoseLoopHasEndedKeepsNothing() {
    Reservation holder = body("a");
    assertThat(holder.grow(1000)).isTrue();
    body("a")
        .whenAvailable(
            100,
            _ -> {
              throw new RejectedExecutionException("ended");
            },
            () -> granted.add("never"));

    holder.close();

    assertThat(budget.usage().reserved()).isZero();
  }

  @Test
  void aThreadWaitsForRoomOrGivesUp() throws InterruptedException {
    Reservation holder = body("a");
    assertThat(holder.grow(1000)).isTrue();
    Reservation late = body("a");

    assertThat(late.growWithin(100, Duration.ofMillis(1))).isFalse();
    assertThat(body().refused()).isEqualTo(1);
    Thread.ofVirtual().start(holder::close);
    assertThat(body("a").growWithin(100, Duration.ofSeconds(20))).isTrue();
  }

  @Test
  void saysWhatIsShort() {
    assertThat(body("a").grow(700)).isTrue();

    assertThat(body("a").shortage(600))
        .isEqualTo(
            "memory for requests and answers: 600 bytes more (expected: at most 300 of 1000 that"
                + " are free, of which the account has 700)");
  }

  @Test
  void refusesNumbersThatAreNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ByteBudget(0))
        .withMessage("total: 0 (expected: > 0)");
    assertThatIllegalArgumentException().isThrownBy(() -> body("a").grow(-1));
    Reservation waiting = body("b");
    assertThat(body("a").grow(1000)).isTrue();
    waiting.whenAvailable(1, Runnable::run, () -> {});
    assertThatIllegalStateException()
        .isThrownBy(() -> waiting.whenAvailable(1, Runnable::run, () -> {}));
  }

  /// Whatever happens in whatever order: the sum is that of the parts, room is never given twice,
  /// and when everything is closed nothing is reserved and nobody waits.
  @Test
  void theAccountBalances() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Reservation> open = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      if (open.isEmpty()) {
        open.add(body("a"));
      }
      Reservation any = open.get(random.nextInt(open.size()));
      switch (random.nextInt(6)) {
        case 0 -> open.add(body("account-" + random.nextInt(5)));
        case 1 -> any.grow(random.nextInt(400));
        case 2 -> any.shrink(random.nextInt(400));
        case 3 -> {
          any.close();
          open.remove(any);
        }
        case 4 -> {
          Reservation next = waitFor("account-" + random.nextInt(5), 1 + random.nextInt(600), "x");
          open.add(next);
        }
        default -> {
          any.refuse();
          open.remove(any);
        }
      }
      long sum = open.stream().mapToLong(Reservation::bytes).sum();
      assertThat(budget.usage().reserved()).as("seed %s", seed).isEqualTo(sum);
      assertThat(sum).as("seed %s", seed).isBetween(0L, 1000L);
    }
    open.forEach(Reservation::close);

    assertThat(budget.usage().reserved()).as("seed %s", seed).isZero();
    assertThat(body().bytes()).isZero();
    assertThat(body().waiting()).as("seed %s", seed).isZero();
    assertThat(body("a").grow(1000)).as("seed %s", seed).isTrue();
  }

  private Reservation waitFor(String account, long bytes, String name) {
    Reservation reservation = body(account);
    reservation.whenAvailable(bytes, Runnable::run, () -> granted.add(name));
    return reservation;
  }

  private Reservation body(String account) {
    return budget.open(ByteKind.BODY, account);
  }

  private BudgetUsage.Part body() {
    BudgetUsage.Part usage = budget.usage().kinds().get(ByteKind.BODY);
    assertThat(usage).isNotNull();
    return usage == null ? new BudgetUsage.Part(0, 0, 0) : usage;
  }
}
