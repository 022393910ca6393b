package io.easyfaas.controller.admin;

import io.easyfaas.common.budget.BudgetUsage;
import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.ConnectionLimit;
import io.easyfaas.common.log.LineQueue;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;

/// What is on its way between the engine and its clients: bytes by kind, connections, log lines.
/// Thread-safe.
///
/// @param budget of all servers of the process
/// @param connections likewise
public record TrafficMetrics(ByteBudget budget, ConnectionLimit connections) {
  /// As of now.
  List<MetricSnapshot> snapshots() {
    BudgetUsage usage = budget.usage();
    GaugeSnapshot.Builder bytes =
        GaugeSnapshot.builder().name("easyfaas_traffic_bytes").help("Bytes on their way, by kind");
    GaugeSnapshot.Builder waiting =
        GaugeSnapshot.builder()
            .name("easyfaas_traffic_waiting")
            .help("Requests that wait for memory, by kind");
    CounterSnapshot.Builder refused =
        CounterSnapshot.builder()
            .name("easyfaas_traffic_refused")
            .help("Requests refused for lack of memory, by kind");
    usage
        .kinds()
        .forEach((kind, part) -> {
          Labels labels = Labels.of("kind", kind.label());
          bytes.dataPoint(gauge(labels, part.bytes()));
          waiting.dataPoint(gauge(labels, part.waiting()));
          refused.dataPoint(counter(labels, part.refused()));
        });
    return List.of(
        bytes.build(),
        waiting.build(),
        refused.build(),
        single("easyfaas_traffic_limit_bytes", "Bytes that may be on their way", usage.total()),
        single("easyfaas_connections", "Open connections of clients", connections.open()),
        single("easyfaas_connections_limit", "Connections there may be", connections.max()),
        total(
            "easyfaas_connections_paused",
            "How often no connection was accepted because there were too many",
            connections.pauses()),
        total(
            "easyfaas_connections_displaced",
            "Connections that had asked for nothing and were closed for new ones",
            connections.displaced()),
        total(
            "easyfaas_connections_stalled",
            "Connections closed because their client took nothing of its answer",
            connections.stalledClients()),
        total(
            "easyfaas_log_dropped_lines",
            "Lines of the engine's log that were dropped because nobody read them",
            LineQueue.standardError().dropped()));
  }

  private static MetricSnapshot single(String name, String help, long value) {
    return GaugeSnapshot.builder()
        .name(name)
        .help(help)
        .dataPoint(gauge(Labels.EMPTY, value))
        .build();
  }

  private static MetricSnapshot total(String name, String help, long value) {
    return CounterSnapshot.builder()
        .name(name)
        .help(help)
        .dataPoint(counter(Labels.EMPTY, value))
        .build();
  }

  private static GaugeSnapshot.GaugeDataPointSnapshot gauge(Labels labels, long value) {
    return GaugeSnapshot.GaugeDataPointSnapshot.builder()
        .labels(labels)
        .value((double) value)
        .build();
  }

  private static CounterSnapshot.CounterDataPointSnapshot counter(Labels labels, long value) {
    return CounterSnapshot.CounterDataPointSnapshot.builder()
        .labels(labels)
        .value((double) value)
        .build();
  }
}
