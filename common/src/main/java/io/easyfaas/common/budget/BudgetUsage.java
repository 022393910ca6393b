package io.easyfaas.common.budget;

import java.util.Map;

/// How a {@link ByteBudget} stands at one moment.
///
/// @param total what may be reserved
/// @param reserved what is; more than `total` when bytes were counted that were there already
/// @param kinds by what the bytes are
public record BudgetUsage(long total, long reserved, Map<ByteKind, Part> kinds) {
  /// The part of one kind.
  ///
  /// @param bytes reserved now
  /// @param waiting reservations that wait now
  /// @param refused reservations that were given up for lack of room, ever
  public record Part(long bytes, int waiting, long refused) {}

  /// Copies the map.
  public BudgetUsage {
    kinds = Map.copyOf(kinds);
  }

  /// The part of a kind.
  public Part of(ByteKind kind) {
    return kinds.getOrDefault(kind, new Part(0, 0, 0));
  }
}
