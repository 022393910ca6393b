package io.easyfaas.common.http;

import io.netty.channel.Channel;
import java.util.EnumSet;

/// Whether a connection's socket is read: only while nobody has a reason against it. Confined to
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
  private int changes;

  ReadGate(Channel channel) {
    this.channel = channel;
  }

  /// Reads no more, but for what is being read right now. Safe to call twice.
  void close(Reason reason) {
    if (reasons.add(reason)) {
      changes += reasons.size() == 1 ? 1 : 0;
      channel.config().setAutoRead(false);
    }
  }

  /// Takes a reason back. Safe to call without it.
  void open(Reason reason) {
    if (reasons.remove(reason) && reasons.isEmpty()) {
      changes++;
      channel.config().setAutoRead(true);
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
    channel.config().setAutoRead(true);
  }
}
