package io.easyfaas.controller.runtime;

import org.jspecify.annotations.Nullable;

/// What a handed-over connection and its descriptor are, see protocol.md §1.
enum ChannelKind {
  /// Frames; the descriptor is the read end of the output pipe.
  RUNNER(1),
  /// Nothing; the descriptor is a listening TCP socket on the sandbox's loopback.
  LISTENER(2);

  private final int wire;

  ChannelKind(int wire) {
    this.wire = wire;
  }

  /// The kind of a greeting's byte, or null.
  static @Nullable ChannelKind of(int wire) {
    for (ChannelKind kind : values()) {
      if (kind.wire == wire) {
        return kind;
      }
    }
    return null;
  }
}
