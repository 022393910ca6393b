package io.easyfaas.controller.pool;

import java.util.function.Predicate;

/// The calls of one function that wait, in order of arrival. A ring: both ends and every place cost
/// the same however many wait; taking one out of the middle costs a move of those behind it. Not
/// thread-safe; owned by a {@link PooledFunction}.
final class CallLine {
  private static final int FIRST_CAPACITY = 4; // A power of two, as all that follow.

  private Waiting[] ring = new Waiting[FIRST_CAPACITY];
  private int head;
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  /// The call at a place, 0 for the one that waits longest.
  ///
  /// @throws IndexOutOfBoundsException when there is none
  Waiting get(int place) {
    if (place < 0 || place >= size) {
      throw new IndexOutOfBoundsException("place: " + place + " (expected: 0 to " + size + ")");
    }
    return ring[at(place)];
  }

  Waiting first() {
    return get(0);
  }

  Waiting last() {
    return get(size - 1);
  }

  void addLast(Waiting call) {
    growWhenFull();
    ring[at(size++)] = call;
  }

  void addFirst(Waiting call) {
    growWhenFull();
    head = at(-1);
    ring[head] = call;
    size++;
  }

  Waiting removeFirst() {
    Waiting first = get(0);
    clear(head);
    head = at(1);
    size--;
    return first;
  }

  Waiting removeLast() {
    Waiting last = get(size - 1);
    clear(at(--size));
    return last;
  }

  /// Takes out, in their order, all that match.
  ///
  /// @param matches called once for each call, in order
  void removeIf(Predicate<Waiting> matches) {
    int kept = 0;
    for (int place = 0; place < size; place++) {
      Waiting call = ring[at(place)];
      if (!matches.test(call)) {
        ring[at(kept++)] = call;
      }
    }
    for (int place = kept; place < size; place++) {
      clear(at(place));
    }
    size = kept;
  }

  private int at(int place) {
    return (head + place) & (ring.length - 1);
  }

  @SuppressWarnings("NullAway") // A place that is not in use.
  private void clear(int index) {
    ring[index] = null;
  }

  private void growWhenFull() {
    if (size < ring.length) {
      return;
    }
    Waiting[] larger = new Waiting[ring.length * 2];
    for (int place = 0; place < size; place++) {
      larger[place] = ring[at(place)];
    }
    ring = larger;
    head = 0;
  }
}
