package io.easyfaas.funclet.mount;

/// The user and group ids of one slot, as the host sees them. No two slots share one, so a process
/// that got out of its sandbox could still not touch another's files or processes.
///
/// The range 0x70000000…0x7FFFFFFF lies above what distributions, container engines and directory
/// services hand out. It is cut into 31 windows of 4096 slots; engines on one machine take a window
/// by their id, so two of them are apart with 30 chances in 31.
///
/// @param base the id outside that is 0 inside
public record UidRange(long base) {
  /// Ids in a range.
  public static final int COUNT = 2048;

  /// Slots one engine can have.
  public static final int MAX_SLOTS = 4096;

  private static final long FIRST = 0x70000000L;
  private static final int WINDOWS = 31;

  /// The range of a slot.
  ///
  /// @param engineId 8 hexadecimal digits
  /// @param slot from 0
  public static UidRange of(String engineId, int slot) {
    if (slot < 0 || slot >= MAX_SLOTS) {
      throw new IllegalArgumentException(
          "slot: " + slot + " (expected: 0 to " + (MAX_SLOTS - 1) + ")");
    }
    long window = Long.parseLong(engineId, 16) % WINDOWS;
    return new UidRange(FIRST + window * MAX_SLOTS * COUNT + (long) slot * COUNT);
  }
}
