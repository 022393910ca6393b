package io.easyfaas.common.wire;

import com.fasterxml.jackson.annotation.JsonProperty;

/// An amount of processor and memory.
///
/// @param milliCpus thousandths of a core
/// @param memory bytes
public record Resource(@JsonProperty("MilliCPUs") long milliCpus, long memory) {
  /// Nothing.
  public static final Resource ZERO = new Resource(0, 0);

  /// The sum of two amounts.
  public Resource plus(Resource other) {
    return new Resource(milliCpus + other.milliCpus, memory + other.memory);
  }

  /// The difference of two amounts.
  public Resource minus(Resource other) {
    return new Resource(milliCpus - other.milliCpus, memory - other.memory);
  }
}
