package io.easyfaas.controller.pool;

import java.util.Comparator;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Whose demand is met next: accounts take turns, and each brings its demands in its own order. Not
/// thread-safe; nothing but the room may change while it is used.
///
/// It is the turn of the account whose dominant share, what it holds of the slots or of the memory,
/// whichever is more, would be least with its next demand met (Ghodsi et al., Dominant Resource
/// Fairness, NSDI 2011). So however many functions and calls an account has, another one that holds
/// less comes first, and whoever wants much waits for who wants little. Of equals the one whose
/// call came first comes first.
final class FairOrder {
  private static final class Turn {
    final Iterator<Placement.Demand> demands;
    Placement.Demand next;
    double share;

    Turn(Iterator<Placement.Demand> demands) {
      this.demands = demands;
      this.next = demands.next();
    }
  }

  private final Room room;
  private final PriorityQueue<Turn> turns =
      new PriorityQueue<>(
          Comparator.comparingDouble((Turn turn) -> turn.share)
              .thenComparingLong(turn -> turn.next.order()));
  // Whose demand was given last; back among the others when the next one is asked for.
  private @Nullable Turn current;

  /// @param room says what accounts hold, with what it has given them meanwhile
  FairOrder(Room room) {
    this.room = room;
  }

  /// An account takes part.
  ///
  /// @param demands all of one account
  void add(Iterator<Placement.Demand> demands) {
    if (demands.hasNext()) {
      offer(new Turn(demands));
    }
  }

  boolean hasNext() {
    return !turns.isEmpty() || (current != null && current.demands.hasNext());
  }

  /// The next demand.
  ///
  /// @throws NoSuchElementException when there is none
  Placement.Demand next() {
    Turn before = current;
    if (before != null && before.demands.hasNext()) {
      before.next = before.demands.next();
      offer(before);
    }
    Turn now = turns.poll();
    current = now;
    if (now == null) {
      throw new NoSuchElementException();
    }
    return now.next;
  }

  /// The account whose demand was given last takes part no more.
  void leave() {
    current = null;
  }

  private void offer(Turn turn) {
    turn.share = room.shareWith(turn.next.function());
    turns.add(turn);
  }
}
