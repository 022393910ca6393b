package io.easyfaas.httptrigger.event;

import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.OwnedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/// An event as it is written: in pieces, so that it grows while the body that it is made of is
/// given back piece by piece. Not thread-safe.
final class EventBytes extends OutputStream {
  private static final int PIECE_BYTES = 64 * 1024;

  private final ByteBufAllocator allocator;
  private final CompositeByteBuf pieces;
  private @Nullable ByteBuf last;
  private long expected;

  /// @param owner of the bytes from now on; null when another one answers for them, or nobody must
  /// @param expected bytes, about
  EventBytes(ByteBufAllocator allocator, @Nullable Reservation owner, long expected) {
    this.allocator = allocator;
    this.expected = expected;
    this.pieces =
        owner == null
            ? allocator.compositeDirectBuffer(Integer.MAX_VALUE)
            : new OwnedBytes(allocator, owner);
  }

  @Override
  public void write(int value) {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    for (int at = 0; at < length; ) {
      ByteBuf room = room();
      int part = Math.min(length - at, room.writableBytes());
      room.writeBytes(bytes, offset + at, part);
      at += part;
    }
    expected -= length;
  }

  /// Adds bytes as they are, without copying them.
  ///
  /// @param bytes belong to the event from now on
  void append(ByteBuf bytes) {
    seal();
    expected -= bytes.readableBytes();
    pieces.addComponent(true, bytes);
  }

  /// All of it; belongs to the caller. Nothing is written after that.
  ByteBuf finish() {
    seal();
    return pieces;
  }

  private ByteBuf room() {
    ByteBuf current = last;
    if (current != null && current.isWritable()) {
      return current;
    }
    seal();
    int capacity = Math.clamp(expected, 256, PIECE_BYTES);
    ByteBuf fresh = allocator.directBuffer(capacity, capacity);
    last = fresh;
    return fresh;
  }

  private void seal() {
    ByteBuf full = last;
    last = null;
    if (full != null) {
      pieces.addComponent(true, full);
    }
  }
}
