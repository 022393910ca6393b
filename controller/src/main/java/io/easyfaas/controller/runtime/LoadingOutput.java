package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayDeque;
import java.util.List;

/// The last 64 KiB that were printed while a function was loaded, for the log of the call that it
/// was loaded for. Not thread-safe.
final class LoadingOutput {
  private static final int KEPT_BYTES = 64 * 1024;
  // A record, an array's header and the queue's reference: what one byte of text takes, too.
  private static final int OVERHEAD_BYTES = 64;

  private final ArrayDeque<Printed> pieces = new ArrayDeque<>();
  private int kept;

  /// Adds text; the buffer's own position does not change.
  void add(boolean stderr, ByteBuf text) {
    int size = Math.min(text.readableBytes(), KEPT_BYTES);
    byte[] bytes = ByteBufUtil.getBytes(text, text.writerIndex() - size, size);
    pieces.add(new Printed(stderr, bytes));
    kept += size + OVERHEAD_BYTES;
    while (kept > KEPT_BYTES + OVERHEAD_BYTES) {
      kept -= pieces.remove().text().length + OVERHEAD_BYTES;
    }
  }

  /// What is kept, in order.
  List<Printed> all() {
    return List.copyOf(pieces);
  }
}
