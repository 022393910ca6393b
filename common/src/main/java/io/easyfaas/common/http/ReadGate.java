package io.easyfaas.common.http;

import io.netty.channel.Channel;
import java.util.EnumSet;

/// Whether a connection's socket is read: only while nobody has a reason against it. What comes all
/// the same waits in {@link WaitingBytes}: the rest of what is being read, and, when the client
/// closes its side, everything that its socket holds, which Netty then reads at once. Confined to
/// the connection's event loop.
final class ReadGate {
  /// Why a socket is not read.
  enum Reason {
    /// Enough requests wait for their turn.
    REQUESTS_WAIT,
    /// There is no memory for what would come.
    NO_ROOM,
    /// Whoever reads the body is slower than the peer.
    READER_IS_SLOW
  }

  private final Channel channel;
  private final EnumSet<Reason> reasons = EnumSet.noneOf(Reason.class);
  private Runnable goOn = () -> {};
  private int changes;

  ReadGate(Channel channel) {
    this.channel = channel;
  }

  /// @param action passes on what waits, once it may; runs whenever that may be
  void whenOpen(Runnable action) {
    goOn = action;
  }

  /// Whether nothing more of a request must be passed on.
  boolean isHoldingUp() {
    return reasons.contains(Reason.NO_ROOM) || reasons.contains(Reason.READER_IS_SLOW);
  }

  /// Reads no more, but for what is being read right now. Safe to call twice.
  void close(Reason reason) {
    if (reasons.add(reason)) {
      changes += reasons.size() == 1 ? 1 : 0;
      read(false);
    }
  }

  /// Takes a reason back. Safe to call without it.
  void open(Reason reason) {
    boolean wasHoldingUp = isHoldingUp();
    if (reasons.remove(reason) && reasons.isEmpty()) {
      changes++;
      read(true);
    }
    if (wasHoldingUp) {
      goOn.run();
    }
  }

  /// What to give to {@link #wasOpenSince} later.
  int mark() {
    return changes;
  }

  /// Whether nobody had a reason against it from the mark on.
  boolean wasOpenSince(int mark) {
    return changes == mark && reasons.isEmpty();
  }

  /// Reads whatever comes: from now on it is dropped.
  void openForAll() {
    reasons.clear();
    read(true);
    goOn.run();
  }

  private void read(boolean on) {
    if (channel.isOpen()) {
      channel.config().setAutoRead(on);
    }
  }
}
