package io.easyfaas.controller.pool;

import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One demand for each slot more that functions of one account could use, in the order in which
/// they are to be met; found one by one, so that a thousand waiting calls cost nothing when there
/// is one slot to give. Not thread-safe; nothing may change while it is used.
///
/// First come the overdue ones, one a function. Then a function has one for every `concurrency`
/// calls that wait, may run, and that no slot on its way will take, each with the place of the
/// first of these calls among all of the account's.
final class Demands implements Iterator<Placement.Demand> {
  /// Where a function is in its line.
  private record Cursor(PooledFunction function, int place) {
    long order() {
      return function.line.get(place).order;
    }

    boolean isMet() {
      return place >= function.runnable();
    }

    Cursor next() {
      return new Cursor(function, place + function.function.concurrency());
    }
  }

  private final long patience;
  private final long now;
  private final Iterator<PooledFunction> candidates;
  private final Iterator<PooledFunction> inOrder;
  private final Set<PooledFunction> overdue = new HashSet<>();
  private final PriorityQueue<Cursor> started =
      new PriorityQueue<>(Comparator.comparingLong(Cursor::order));
  private @Nullable PooledFunction upcoming;
  private Placement.@Nullable Demand next;
  private boolean sawOverdue;

  /// @param waiting the account's functions whose calls wait, by arrival of the first
  /// @param patience how long a function waits without a slot until it is overdue
  Demands(Collection<PooledFunction> waiting, Duration patience, long now) {
    this.patience = patience.toNanos();
    this.now = now;
    this.candidates = waiting.iterator();
    this.inOrder = waiting.iterator();
    this.upcoming = inOrder.hasNext() ? inOrder.next() : null;
  }

  @Override
  public boolean hasNext() {
    if (next == null) {
      next = find();
    }
    return next != null;
  }

  @Override
  public Placement.Demand next() {
    Placement.Demand found = next == null ? find() : next;
    next = null;
    if (found == null) {
      throw new NoSuchElementException();
    }
    return found;
  }

  private Placement.@Nullable Demand find() {
    while (!sawOverdue) {
      PooledFunction function = candidates.hasNext() ? candidates.next() : null;
      if (function == null || now - function.line.first().arrived < patience) {
        sawOverdue = true; // Those behind it came later.
      } else if (function.isOverdue(patience, now)) {
        overdue.add(function);
        return new Placement.Demand(function, function.line.first().order, true);
      }
    }
    Cursor first = earliest();
    if (first == null) {
      return null;
    }
    Cursor following = first.next();
    if (!following.isMet()) {
      started.add(following);
    }
    return new Placement.Demand(first.function(), first.order(), false);
  }

  /// The demand that came first of those that are left. A function whose first call came later than
  /// it cannot have an earlier one.
  private @Nullable Cursor earliest() {
    while (upcoming != null
        && (started.isEmpty() || upcoming.line.first().order < started.peek().order())) {
      PooledFunction function = upcoming;
      Cursor first = new Cursor(function, function.coming());
      if (overdue.contains(function)) {
        first = first.next();
      }
      if (!first.isMet()) {
        started.add(first);
      }
      upcoming = inOrder.hasNext() ? inOrder.next() : null;
    }
    return started.poll();
  }
}
