package io.easyfaas.common.wire;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/// One container as funclet sees it.
///
/// @param hostname the host name inside the sandbox
/// @param containerID its id
/// @param hostPid pid 1 of the sandbox, seen from the host; 0 when there is none
/// @param generation counts the sandboxes this container has had, from 1
/// @param state `cold`, `prewarmed`, `warm` or `broken`
/// @param currentEvent what is being done to it now: `event_init`, `event_warmup`, `event_freeze`,
///   `event_reset` or empty
/// @param isFrozen whether it is paused
/// @param resource what it may use
/// @param resourceStats what it uses; only for a single container
/// @param reason why it is broken, for people; empty when it is not
@JsonInclude(JsonInclude.Include.ALWAYS)
public record ContainerInfo(
    String hostname,
    ContainerId containerID,
    long hostPid,
    long generation,
    String state,
    String currentEvent,
    boolean isFrozen,
    @Nullable Resource resource,
    @Nullable ResourceStats resourceStats,
    String reason) {
  /// Fills in what other engines leave out.
  public ContainerInfo {
    reason = requireNonNullElse(reason, "");
  }

  /// A container that is not broken.
  public ContainerInfo(
      String hostname,
      ContainerId containerID,
      long hostPid,
      long generation,
      String state,
      String currentEvent,
      boolean isFrozen,
      @Nullable Resource resource,
      @Nullable ResourceStats resourceStats) {
    this(
        hostname,
        containerID,
        hostPid,
        generation,
        state,
        currentEvent,
        isFrozen,
        resource,
        resourceStats,
        "");
  }

  /// Live statistics.
  ///
  /// @param memoryStats memory
  /// @param cpuStats processor
  /// @param freezerState `FROZEN`, `THAWED` or empty
  public record ResourceStats(
      MemoryStats memoryStats, @JsonProperty("CPUStats") CpuStats cpuStats, String freezerState) {}

  /// Memory of one container, in bytes.
  ///
  /// @param usage now
  /// @param limit most it may use
  /// @param swapLimit most memory and swap together
  public record MemoryStats(long usage, long limit, long swapLimit) {}

  /// Processor time of one container.
  ///
  /// @param totalUsage nanoseconds
  public record CpuStats(long totalUsage) {}
}
