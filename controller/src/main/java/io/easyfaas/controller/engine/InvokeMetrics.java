package io.easyfaas.controller.engine;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/// What invocations cost, by stage. Thread-safe; recording a warm call takes some additions.
public final class InvokeMetrics {
  /// Where a call got its slot.
  enum PodSource {
    /// None yet.
    UNKNOWN("unknown"),
    /// A warm slot had a free permit.
    WARM("warm"),
    /// It had to wait for a warm-up or for another call to end.
    COLD("cold");

    private final String label;

    PodSource(String label) {
      this.label = label;
    }
  }

  /// Labels of the whole cost of a call.
  ///
  /// @param hitCache whether function and runtime were in the cache
  /// @param podSource `warm`, `cold` or `unknown`
  /// @param responseCode the logical code: 200, 500 for a function's error, else the HTTP status
  public record Labels(boolean hitCache, String podSource, int responseCode) {}

  /// One histogram with its name.
  public record Stage(String name, String help, Histogram histogram) {}

  final Histogram getFunction = new Histogram(50000, 100000, 200000);
  final Histogram getFunctionHitCache = new Histogram(1, 3, 5, 8, 10, 20, 50, 500, 1000, 10000);
  final Histogram getPodWarm = new Histogram(1, 2, 3, 6, 8, 10, 20, 30, 50, 200, 500);
  final Histogram getPodCold = new Histogram(2000, 5000, 10000);
  final Histogram invoke = new Histogram(500, 1000, 1500, 2000, 5000, 10000, 20000, 50000);
  final Histogram putPod = new Histogram(.01, .05, .1, .5, 1, 5);
  final Histogram stageSum = new Histogram(200, 500, 1000, 1500, 2000, 3000, 5000, 10000, 50000);
  final Histogram scheduleOverhead = new Histogram(10, 20, 30, 50, 100, 200);
  final LongAdder abandoned = new LongAdder();
  final LongAdder timeouts = new LongAdder();
  final LongAdder runnersLost = new LongAdder();
  private final Histogram warmSuccess = allCost();
  private final ConcurrentHashMap<Labels, Histogram> allCost = new ConcurrentHashMap<>();

  /// No calls yet.
  public InvokeMetrics() {
    allCost.put(new Labels(true, PodSource.WARM.label, 200), warmSuccess);
  }

  /// The stages without labels.
  public List<Stage> stages() {
    return List.of(
        new Stage("get_function", "Look-up of a function at the registry", getFunction),
        new Stage(
            "get_function_hit_cache", "Look-up of a function in the cache", getFunctionHitCache),
        new Stage("get_pod_warm", "Getting a slot that was warm", getPodWarm),
        new Stage("get_pod_cold", "Getting a slot that was not, waiting included", getPodCold),
        new Stage("invoke", "From handing a call to a runner to its answer", invoke),
        new Stage("schedule_overhead_cost", "Everything but the runner's part", scheduleOverhead));
  }

  /// The whole cost by labels.
  public Map<Labels, Histogram> allCosts() {
    return Map.copyOf(allCost);
  }

  /// Calls whose client went away before the answer.
  public long abandonedCalls() {
    return abandoned.sum();
  }

  /// Calls that were not answered in the function's time.
  public long timedOutCalls() {
    return timeouts.sum();
  }

  /// Calls whose runner ended before the answer.
  public long lostCalls() {
    return runnersLost.sum();
  }

  /// Counts the whole cost of a call.
  void recordAll(boolean hitCache, PodSource source, int responseCode, long nanos) {
    if (hitCache && source == PodSource.WARM && responseCode == 200) {
      warmSuccess.record(nanos);
    } else {
      allCost
          .computeIfAbsent(new Labels(hitCache, source.label, responseCode), _ -> allCost())
          .record(nanos);
    }
  }

  private static Histogram allCost() {
    return new Histogram(200, 500, 700, 1000, 1500, 2000, 3000, 5000, 10000, 50000);
  }
}
