package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How many started runners of each language are to stand by, by recent demand. Not thread-safe;
/// owned by {@link SlotPool} and guarded by its lock.
///
/// What a language needs is the largest number of functions of it that were put into slots within
/// one second of the last minute, and one at least until nobody has wanted one for ten minutes:
/// what has come in a burst may come again, and what is used at all is worth one runner. All
/// together never get more than `max`; when that is too few, every language gets one before any
/// gets two, the ones wanted last first.
///
/// A language whose runners do not start is let alone for a minute.
final class Standby {
  private static final int SECONDS = 60;
  private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long KEEP_NANOS = Duration.ofMinutes(10).toNanos();
  private static final long REST_NANOS = Duration.ofMinutes(1).toNanos();

  private final int max;
  private final Map<RuntimeConfiguration, Demand> demands = new HashMap<>();

  /// @param max runners in all; 0 for none
  Standby(int max) {
    this.max = max;
  }

  /// A function of the language was put into a slot, with or without a runner that was ready.
  void wanted(RuntimeConfiguration runtime, long now) {
    if (max > 0) {
      demands.computeIfAbsent(runtime, _ -> new Demand(now)).add(now);
    }
  }

  /// A runner of the language did not start, or ended while it waited.
  void failed(RuntimeConfiguration runtime, long now) {
    Demand demand = demands.get(runtime);
    if (demand != null) {
      demand.restsUntil = now + REST_NANOS;
      demand.isResting = true;
    }
  }

  /// The language that is to get the next runner.
  ///
  /// @param ready how many of each language there are
  Optional<RuntimeConfiguration> missing(Map<RuntimeConfiguration, Integer> ready, long now) {
    int all = 0;
    for (int count : ready.values()) {
      all += count;
    }
    if (all >= max) {
      return Optional.empty();
    }
    RuntimeConfiguration least = null;
    int leastReady = Integer.MAX_VALUE;
    for (Map.Entry<RuntimeConfiguration, Integer> target : targets(now).entrySet()) {
      int count = ready.getOrDefault(target.getKey(), 0);
      if (count < target.getValue() && count < leastReady && !isResting(target.getKey(), now)) {
        least = target.getKey();
        leastReady = count;
      }
    }
    return Optional.ofNullable(least);
  }

  /// Whether the language has more runners than it should.
  boolean isSurplus(RuntimeConfiguration runtime, int ready, long now) {
    return ready > targets(now).getOrDefault(runtime, 0);
  }

  private boolean isResting(RuntimeConfiguration runtime, long now) {
    Demand demand = demands.get(runtime);
    return demand != null && demand.isResting && now - demand.restsUntil < 0;
  }

  private Map<RuntimeConfiguration, Integer> targets(long now) {
    demands.values().removeIf(demand -> now - demand.last >= KEEP_NANOS);
    List<RuntimeConfiguration> latestFirst = new ArrayList<>(demands.keySet());
    latestFirst.sort(
        Comparator.comparingLong((RuntimeConfiguration runtime) -> lastWanted(runtime) - now)
            .reversed());
    Map<RuntimeConfiguration, Integer> targets = new HashMap<>();
    int left = max;
    for (int round = 1; left > 0; round++) {
      int before = left;
      for (RuntimeConfiguration runtime : latestFirst) {
        Demand demand = demands.get(runtime);
        if (left > 0 && demand != null && demand.peak(now) >= round) {
          targets.put(runtime, round);
          left--;
        }
      }
      if (left == before) {
        break;
      }
    }
    return targets;
  }

  private long lastWanted(RuntimeConfiguration runtime) {
    Demand demand = demands.get(runtime);
    return demand == null ? 0 : demand.last;
  }

  /// Starts per second of the last minute, in a ring.
  private static final class Demand {
    private final int[] starts = new int[SECONDS];
    private final long origin;
    private long second;
    private long last;
    private long restsUntil;
    private boolean isResting;

    Demand(long now) {
      origin = now;
    }

    void add(long now) {
      turnTo(now);
      starts[(int) (second % SECONDS)]++;
      last = now;
    }

    int peak(long now) {
      turnTo(now);
      int peak = 1;
      for (int count : starts) {
        peak = Math.max(peak, count);
      }
      return peak;
    }

    private void turnTo(long now) {
      long current = (now - origin) / SECOND_NANOS;
      for (long stale = Math.max(second + 1, current - SECONDS + 1); stale <= current; stale++) {
        starts[(int) (stale % SECONDS)] = 0;
      }
      second = Math.max(second, current);
    }
  }
}
