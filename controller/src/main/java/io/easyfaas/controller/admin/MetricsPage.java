package io.easyfaas.controller.admin;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.controller.engine.Histogram;
import io.easyfaas.controller.engine.InvokeMetrics;
import io.easyfaas.controller.pool.PoolUsage;
import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.pool.SlotState;
import io.easyfaas.controller.pool.SlotView;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.userlog.UserLog;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The Prometheus page, as of no earlier than it was asked for. It is written once for all who ask
/// while the one before is being written. Thread-safe.
///
/// Names and buckets that start with `controller_invoke_` are those existing dashboards know, in
/// microseconds, each histogram with a summary `<name>_latencies` beside it. The engine's own are
/// named `easyfaas_…`, in seconds and bytes.
public final class MetricsPage {
  private static final String PREFIX = "controller_invoke_";

  private final InvokeMetrics invocations;
  private final SlotPool pool;
  private final FunctionCache functions;
  private final UserLog userLog;
  private final TrafficMetrics traffic;
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();

  @GuardedBy("lock")
  private @Nullable HttpResponse page;

  @GuardedBy("lock")
  private long begun;

  /// Creates the page over the parts it reads.
  ///
  /// @param nanoTime a clock as {@link System#nanoTime}
  public MetricsPage(
      InvokeMetrics invocations,
      SlotPool pool,
      FunctionCache functions,
      UserLog userLog,
      TrafficMetrics traffic,
      LongSupplier nanoTime) {
    this.invocations = invocations;
    this.pool = pool;
    this.functions = functions;
    this.userLog = userLog;
    this.traffic = traffic;
    this.nanoTime = nanoTime;
  }

  /// The page as of now. Waits for the one that is being written.
  public HttpResponse render() {
    long asked = nanoTime.getAsLong();
    lock.lock();
    try {
      HttpResponse last = page;
      if (last != null && begun - asked > 0) {
        return last;
      }
      begun = nanoTime.getAsLong();
      HttpResponse fresh = write();
      page = fresh;
      return fresh;
    } finally {
      lock.unlock();
    }
  }

  private HttpResponse write() {
    List<MetricSnapshot> all = new ArrayList<>();
    for (InvokeMetrics.Stage stage : invocations.stages()) {
      addHistogram(
          all, PREFIX + stage.name(), stage.help(), Map.of(Labels.EMPTY, stage.histogram()));
    }
    Map<Labels, Histogram> costs = new LinkedHashMap<>();
    invocations.allCosts().forEach((labels, histogram) -> costs.put(labels(labels), histogram));
    addHistogram(all, PREFIX + "all_cost", "The whole call, from request to answer", costs);
    addSlots(all);
    all.add(
        counter(
            "easyfaas_calls_abandoned",
            "Calls whose client left before the answer",
            invocations.abandonedCalls()));
    all.add(
        counter(
            "easyfaas_calls_timed_out",
            "Calls that were not answered in the function's time",
            invocations.timedOutCalls()));
    all.add(
        counter(
            "easyfaas_calls_lost",
            "Calls whose runner ended before the answer",
            invocations.lostCalls()));
    all.add(
        counter(
            "easyfaas_userlog_dropped_calls",
            "Calls whose user log was not written",
            userLog.dropped()));
    addFunctions(all);
    all.addAll(traffic.snapshots());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writer.write(bytes, new MetricSnapshots(all));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new HttpResponse(
        200, Map.of("Content-Type", writer.getContentType()), bytes.toByteArray());
  }

  private void addFunctions(List<MetricSnapshot> all) {
    all.add(gauge("easyfaas_function_cache_entries", "Functions looked up", functions.size()));
    all.add(gauge("easyfaas_function_cache_bytes", "Memory they take", functions.bytes()));
    all.add(
        counter(
            "easyfaas_function_lookups_stale",
            "Look-ups answered with the last document, because the registry did not answer",
            functions.staleAnswers()));
    all.add(
        gauge(
            "easyfaas_registry_up",
            "Whether the registry answered the last question",
            functions.isRegistryGone() ? 0 : 1));
  }

  private void addSlots(List<MetricSnapshot> all) {
    List<SlotView> slots = pool.slots();
    all.add(
        gauge(
            PREFIX + "runtime_cold",
            "Slots that wait for a function",
            count(slots, state -> state.wireName().equals("cold"))));
    all.add(
        gauge(
            PREFIX + "runtime_in_use",
            "Slots that hold a function",
            count(
                slots,
                state -> state instanceof SlotState.WarmingUp || state.wireName().equals("warm"))));
    all.add(gauge(PREFIX + "runtime_all", "All slots", slots.size()));
    GaugeSnapshot.Builder states =
        GaugeSnapshot.builder().name("easyfaas_slots").help("Slots by state");
    for (String state :
        List.of(
            "closed",
            "cold",
            "prewarming",
            "prewarmed",
            "warmup",
            "warm",
            "frozen",
            "thawing",
            "stopping")) {
      states.dataPoint(
          GaugeSnapshot.GaugeDataPointSnapshot.builder()
              .labels(Labels.of("state", state))
              .value((double) count(slots, each -> each.name().equals(state)))
              .build());
    }
    all.add(states.build());
    CounterSnapshot.Builder moves =
        CounterSnapshot.builder()
            .name("easyfaas_slot_moves")
            .help("Moves of slots from state to state");
    pool.moves()
        .forEach((move, count) ->
            moves.dataPoint(
                CounterSnapshot.CounterDataPointSnapshot.builder()
                    .labels(
                        Labels.of(
                            "from", move.from(), "to", move.to(), "reason", move.reason().word()))
                    .value((double) count)
                    .build()));
    all.add(moves.build());
    PoolUsage usage = pool.usage();
    all.add(
        gauge(
            "easyfaas_memory_allocatable_bytes",
            "Memory of all slots together",
            usage.allocatable().bytes()));
    all.add(
        gauge("easyfaas_memory_reserved_bytes", "Memory held by slots", usage.marked().bytes()));
    all.add(gauge("easyfaas_calls_waiting", "Calls that wait for a slot", usage.waiting()));
    all.add(
        gauge(
            "easyfaas_calls_waiting_all",
            "Calls that wait for a slot or for the registry",
            pool.waitingRoom().calls()));
  }

  private static void addHistogram(
      List<MetricSnapshot> all, String name, String help, Map<Labels, Histogram> histograms) {
    HistogramSnapshot.Builder buckets = HistogramSnapshot.builder().name(name).help(help);
    SummarySnapshot.Builder latencies =
        SummarySnapshot.builder().name(name + "_latencies").help(help);
    histograms.forEach((labels, histogram) -> {
      Histogram.Snapshot snapshot = histogram.snapshot();
      ClassicHistogramBuckets.Builder classic = ClassicHistogramBuckets.builder();
      long count = 0;
      for (int i = 0; i < snapshot.counts().length; i++) {
        double bound =
            i < snapshot.bounds().length ? snapshot.bounds()[i] : Double.POSITIVE_INFINITY;
        classic.bucket(bound, snapshot.counts()[i]);
        count += snapshot.counts()[i];
      }
      buckets.dataPoint(
          HistogramSnapshot.HistogramDataPointSnapshot.builder()
              .labels(labels)
              .classicHistogramBuckets(classic.build())
              .sum(snapshot.sum())
              .build());
      latencies.dataPoint(
          SummarySnapshot.SummaryDataPointSnapshot.builder()
              .labels(labels)
              .count(count)
              .sum(snapshot.sum())
              .build());
    });
    all.add(buckets.build());
    all.add(latencies.build());
  }

  private static Labels labels(InvokeMetrics.Labels labels) {
    String hit = Boolean.toString(labels.hitCache());
    return Labels.of(
        "get_function_hit_cache",
        hit,
        "get_configuration_hit_cache",
        hit,
        "pod_source",
        labels.podSource(),
        "response_code",
        Integer.toString(labels.responseCode()));
  }

  private static GaugeSnapshot gauge(String name, String help, long value) {
    return GaugeSnapshot.builder()
        .name(name)
        .help(help)
        .dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder().value((double) value).build())
        .build();
  }

  private static CounterSnapshot counter(String name, String help, long value) {
    return CounterSnapshot.builder()
        .name(name)
        .help(help)
        .dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder().value((double) value).build())
        .build();
  }

  private static long count(List<SlotView> slots, Predicate<SlotState> which) {
    return slots.stream().filter(slot -> which.test(slot.state())).count();
  }
}
