package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/// Bytes of requests whose turn has not come, as they were read: parsed they would take many times
/// their size. They lie in one buffer of at most twice their size. From 4 KiB on the socket is not
/// read. Confined to the connection's event loop.
final class WaitingBytes {
  private static final int ENOUGH_BYTES = 4 * 1024;

  private final ReadGate gate;
  private final Reservation room;
  private long reserved;
  private int kept; // Bytes of the buffer in which those that wait are.
  private @Nullable ByteBuf waiting;
  private @Nullable ByteBuf taken;

  /// @param room answers for what is more than a little; closed with this
  WaitingBytes(ReadGate gate, Reservation room) {
    this.gate = gate;
    this.room = room;
  }

  boolean isEmpty() {
    return waiting == null;
  }

  /// Takes all bytes; they stay the caller's to release.
  void add(ByteBufAllocator allocator, ByteBuf bytes) {
    int more = bytes.readableBytes();
    ByteBuf before = waiting;
    int size = more + (before == null ? 0 : before.readableBytes());
    if (before == null && isTaken(bytes) && 2L * more >= kept) {
      waiting = bytes.readRetainedSlice(more); // What was taken and not used: nothing to copy.
    } else {
      ByteBuf all = allocator.directBuffer(size, size);
      if (before != null) {
        all.writeBytes(before);
        before.release();
      }
      waiting = all.writeBytes(bytes);
      kept = size;
    }
    if (size >= ENOUGH_BYTES) {
      gate.close(ReadGate.Reason.REQUESTS_WAIT);
    }
  }

  /// Reserves what is kept, if it is more than a little.
  ///
  /// @return whether there was room
  boolean reserve() {
    long wanted = wanted();
    if (wanted > reserved) {
      if (!room.grow(wanted - reserved)) {
        return false;
      }
      reserved = wanted;
    }
    return true;
  }

  /// Takes out everything, to be released by the caller; null when there is nothing. What of it is
  /// not used is to be added again before {@link #used}.
  @Nullable ByteBuf take() {
    taken = waiting;
    waiting = null;
    return taken;
  }

  /// What was taken has been used, but for what was added again.
  void used() {
    taken = null;
    ByteBuf left = waiting;
    long wanted = wanted();
    if (wanted < reserved) {
      room.shrink(reserved - wanted);
      reserved = wanted;
    }
    if (left == null || left.readableBytes() < ENOUGH_BYTES) {
      gate.open(ReadGate.Reason.REQUESTS_WAIT);
    }
  }

  /// Drops everything. Safe to call twice.
  void drop() {
    ByteBuf dropped = waiting;
    waiting = null;
    if (dropped != null) {
      dropped.release();
    }
    reserved = 0;
    room.close();
  }

  @SuppressWarnings("ReferenceEquality") // The very same buffer, not one of the same bytes.
  private boolean isTaken(ByteBuf bytes) {
    return bytes == taken;
  }

  private long wanted() {
    return waiting == null || kept <= ByteBudget.FREE_BYTES ? 0 : kept;
  }
}
