package io.easyfaas.controller.runtime;

import io.netty.channel.EventLoop;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The calls that one runner has been sent and has not answered, by id, and their deadlines.
/// Confined to the runner's event loop, but for {@link #size}.
///
/// **Deadlines.** All calls of a runner belong to one function and have its timeout, so the call
/// sent first is due first and one timer is enough. It is armed by the first call, and when it goes
/// off the calls in flight (at most the function's concurrency) are looked through and it is armed
/// again for the next: a call that ends in time costs no timer at all.
final class CallsInFlight {
  private static final class Pending {
    final RunnerCall call;
    final long deadline;
    final int eventBytes;
    @Nullable AnswerParts parts;

    Pending(RunnerCall call, long deadline, int eventBytes) {
      this.call = call;
      this.deadline = deadline;
      this.eventBytes = eventBytes;
    }

    /// Gives up what has come of the answer. Throws nothing: the call is to be told its end.
    void close() {
      AnswerParts coming = parts;
      if (coming != null) {
        Throwable _ = Regardless.run(coming::close);
      }
    }
  }

  private final EventLoop loop;
  private final LongSupplier nanoTime;
  private final Runnable due;
  private final IntObjectHashMap<Pending> calls = new IntObjectHashMap<>();
  private final Set<Integer> givenUp = new HashSet<>();
  private int lastId;
  private long timeoutNanos;
  private @Nullable ScheduledFuture<?> timer;
  private volatile int size;

  /// @param due is run on the loop when a deadline may have passed: time for {@link #takeExpired}
  CallsInFlight(EventLoop loop, LongSupplier nanoTime, Runnable due) {
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.due = due;
  }

  /// Sets the time one call may take. To be called before the first is added.
  void timeout(long nanos) {
    timeoutNanos = nanos;
  }

  /// The time one call may take.
  long timeoutNanos() {
    return timeoutNanos;
  }

  /// Adds a call, whose time runs from now on.
  ///
  /// @return its id
  int add(RunnerCall call, int eventBytes) {
    int id = nextId();
    calls.put(id, new Pending(call, nanoTime.getAsLong() + timeoutNanos, eventBytes));
    size = calls.size();
    if (timer == null) {
      arm(timeoutNanos);
    }
    return id;
  }

  /// The call of an id, or null when it is in flight no more, or never was.
  @Nullable RunnerCall get(int id) {
    Pending pending = calls.get(id);
    return pending == null ? null : pending.call;
  }

  /// Takes a call out, if it is in flight: it was answered.
  void remove(int id) {
    Pending removed = calls.remove(id);
    if (removed != null) {
      size = calls.size();
      removed.close();
    }
  }

  /// Whether the time of the call was over before it was answered: the runner may not know yet.
  boolean wasGivenUp(int id) {
    return givenUp.contains(id);
  }

  /// The parts of a call's answer, or null while none has come or the call is in flight no more.
  @Nullable AnswerParts parts(int id) {
    Pending pending = calls.get(id);
    return pending == null ? null : pending.parts;
  }

  /// Has the answer of a call that is in flight come in parts.
  void beginParts(int id, AnswerParts parts) {
    calls.get(id).parts = parts;
  }

  /// The id of a call, or 0 when it is not in flight.
  @SuppressWarnings("ReferenceEquality") // This very call.
  int idOf(RunnerCall call) {
    for (var entry : calls.entries()) {
      if (entry.value().call == call) {
        return entry.key();
      }
    }
    return 0;
  }

  /// The only call, or null when there are none or several.
  @Nullable RunnerCall only() {
    return calls.size() == 1 ? calls.values().iterator().next().call : null;
  }

  /// Takes the call out that was added last, if it is the only one.
  @Nullable RunnerCall takeOnlyIfLast() {
    RunnerCall call = calls.size() == 1 ? get(lastId) : null;
    if (call != null) {
      remove(lastId);
    }
    return call;
  }

  /// Bytes of all their events.
  long eventBytes() {
    long sum = 0;
    for (Pending pending : calls.values()) {
      sum += pending.eventBytes;
    }
    return sum;
  }

  /// Takes out the calls whose time is over, and waits for the next.
  List<RunnerCall> takeExpired() {
    long now = nanoTime.getAsLong();
    long next = Long.MAX_VALUE;
    List<RunnerCall> expired = new ArrayList<>();
    for (var entries = calls.entries().iterator(); entries.hasNext(); ) {
      var entry = entries.next();
      Pending pending = entry.value();
      long left = pending.deadline - now;
      if (left <= 0) {
        expired.add(pending.call);
        pending.close();
        givenUp.add(entry.key());
        entries.remove();
      } else {
        next = Math.min(next, left);
      }
    }
    size = calls.size();
    if (next != Long.MAX_VALUE && timer == null) {
      arm(next);
    }
    return expired;
  }

  /// Takes out all calls.
  List<RunnerCall> takeAll() {
    List<RunnerCall> all = new ArrayList<>(calls.size());
    calls
        .values()
        .forEach(pending -> {
          all.add(pending.call);
          pending.close();
        });
    calls.clear();
    size = 0;
    return all;
  }

  /// Stops waiting for deadlines, and gives up what has come of answers. Safe to call twice.
  void close() {
    ScheduledFuture<?> armed = timer;
    if (armed != null) {
      armed.cancel(false);
    }
    calls.values().forEach(Pending::close);
  }

  /// How many there are. Exact on the loop, else a snapshot.
  int size() {
    return size;
  }

  /// Ids are never reused while their call may still be talked about: they count up, and start
  /// again at 1 after two thousand million calls.
  private int nextId() {
    do {
      lastId = lastId == Integer.MAX_VALUE ? 1 : lastId + 1;
    } while (calls.containsKey(lastId));
    return lastId;
  }

  private void arm(long delayNanos) {
    timer = loop.schedule(this::goOff, delayNanos, TimeUnit.NANOSECONDS);
  }

  private void goOff() {
    timer = null;
    due.run();
  }
}
