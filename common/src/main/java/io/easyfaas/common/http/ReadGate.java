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
    /// Whoever reads the body is slower than the peer.
    READER_IS_SLOW
  }

  private final Channel channel;
  private final EnumSet<Reason> reasons = EnumSet.noneOf(Reason.class);

  ReadGate(Channel channel) {
    this.channel = channel;
  }

  /// Reads no more, but for what is being read right now. Safe to call twice.
  void close(Reason reason) {
    if (reasons.add(reason)) {
      channel.config().setAutoRead(false);
    }
  }

  /// Takes a reason back. Safe to call without it.
  void open(Reason reason) {
    if (reasons.remove(reason) && reasons.isEmpty()) {
      channel.config().setAutoRead(true);
    }
  }

  /// Reads whatever comes: from now on it is dropped.
  void openForAll() {
    reasons.clear();
    channel.config().setAutoRead(true);
  }
}
