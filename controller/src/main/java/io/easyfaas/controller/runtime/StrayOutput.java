package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;

/// The end of what a sandbox printed outside of calls: while loading, between calls, or while
/// several calls ran. Thread-safe.
final class StrayOutput {
  private static final int KEPT_BYTES = 4 * 1024;

  private final ByteTail tail = new ByteTail(KEPT_BYTES);

  synchronized void add(ByteBuf text) {
    tail.add(text);
  }

  /// What is kept, empty when nothing was printed.
  synchronized String text() {
    return tail.text().strip();
  }
}
