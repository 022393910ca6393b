package io.easyfaas.common.http;

import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import org.jspecify.annotations.Nullable;

/// Makes one body of its pieces. Not thread-safe; owned by who collects.
///
/// A piece that fills at least half of what a read may bring is kept as it is. Smaller ones are
/// copied together: each would hold on to the whole buffer it was read into, and a body sent byte
/// by byte would cost a hundred times its size.
final class BodyCollector {
  private static final int FIRST_BYTES = 4 * 1024;

  private final ByteBufAllocator allocator;
  private final CompositeByteBuf body;
  private @Nullable ByteBuf tail;
  private long size;

  /// @param owner of the bytes from now on; null when they are few
  BodyCollector(ByteBufAllocator allocator, @Nullable Reservation owner) {
    this.allocator = allocator;
    this.body =
        owner == null
            ? allocator.compositeDirectBuffer(Integer.MAX_VALUE)
            : new OwnedBytes(allocator, owner);
  }

  /// The bytes so far.
  long size() {
    return size;
  }

  /// Adds a piece.
  ///
  /// @param piece stays the caller's to release
  /// @param expected bytes that will come after it, as far as known; at least 0
  void add(ByteBuf piece, long expected) {
    int length = piece.readableBytes();
    if (OwnedBytes.fillARead(length)) {
      seal();
      body.addComponent(true, piece.retainedSlice());
    } else {
      for (int at = 0; at < length; ) {
        ByteBuf room = room(length - at + expected);
        int part = Math.min(length - at, room.writableBytes());
        room.writeBytes(piece, piece.readerIndex() + at, part);
        at += part;
      }
    }
    size += length;
  }

  /// The whole body; ownership passes to the caller. Nothing is added after that.
  ByteBuf finish() {
    seal();
    return body;
  }

  /// Drops what there is.
  void release() {
    seal();
    body.release();
  }

  private ByteBuf room(long expected) {
    ByteBuf current = tail;
    if (current != null && current.isWritable()) {
      return current;
    }
    seal();
    long wanted = Math.max(expected, Math.max(FIRST_BYTES, Math.min(size, OwnedBytes.READ_BYTES)));
    int capacity = (int) Math.min(wanted, OwnedBytes.READ_BYTES);
    ByteBuf fresh = allocator.directBuffer(capacity, capacity);
    tail = fresh;
    return fresh;
  }

  private void seal() {
    ByteBuf full = tail;
    tail = null;
    if (full != null) {
      body.addComponent(true, full);
    }
  }
}
