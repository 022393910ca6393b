package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;

/// Bytes and the reservation that answers for them: it is closed when the last reference to the
/// bytes is released, wherever they went and however they end. As thread-safe as any buffer.
public final class OwnedBytes extends CompositeByteBuf {
  /// What one read from a socket or a pipe brings at most.
  public static final int READ_BYTES = 64 * 1024;

  private Reservation owner;

  /// Bytes to be added by `addComponent(true, …)`.
  ///
  /// @param owner closed with the last reference
  public OwnedBytes(ByteBufAllocator allocator, Reservation owner) {
    super(allocator, true, Integer.MAX_VALUE);
    this.owner = owner;
  }

  /// A buffer of so many bytes and no more, that nothing is written to yet.
  ///
  /// @param capacity bytes, as many as are reserved
  /// @param owner closed with the last reference, also when there is no memory
  public static OwnedBytes empty(ByteBufAllocator allocator, Reservation owner, int capacity) {
    OwnedBytes bytes = new OwnedBytes(allocator, owner);
    try {
      bytes.addComponent(false, allocator.directBuffer(capacity, capacity).writerIndex(capacity));
      bytes.maxCapacity(capacity); // More would be nobody's.
      return bytes;
    } catch (OutOfMemoryError e) {
      bytes.release();
      throw e;
    }
  }

  /// Bytes beyond the buffer that they were read into, and who answers for them.
  ///
  /// @param bytes stay the caller's
  /// @param owner closed with the last reference, also when there is no memory
  public static OwnedBytes of(ByteBufAllocator allocator, ByteBuf bytes, Reservation owner) {
    OwnedBytes owned = new OwnedBytes(allocator, owner);
    try {
      owned.addComponent(true, detached(allocator, bytes));
      return owned;
    } catch (OutOfMemoryError e) {
      owned.release();
      throw e;
    }
  }

  /// Bytes beyond the buffer that they were read into: few are copied, many keep it.
  ///
  /// @param bytes stay the caller's
  /// @return belongs to the caller
  public static ByteBuf detached(ByteBufAllocator allocator, ByteBuf bytes) {
    int size = bytes.readableBytes();
    return fillARead(size)
        ? bytes.retainedSlice()
        : allocator.directBuffer(size, size).writeBytes(bytes, bytes.readerIndex(), size);
  }

  /// Whether so many bytes may keep the buffer that they were read into: at least half of what it
  /// may have.
  static boolean fillARead(int size) {
    return size >= READ_BYTES / 2;
  }

  /// Keeps an answer for longer than the buffer may be kept that it was read into. What is more
  /// than a little is answered for, whether there is room or not, unless somebody does already.
  ///
  /// @param bytes stay the caller's
  /// @return belongs to the caller
  public static ByteBuf keep(
      ByteBufAllocator allocator, ByteBuf bytes, ByteBudget budget, String account) {
    int size = bytes.readableBytes();
    if (isOwned(bytes)) {
      return bytes.retain();
    }
    if (size == 0) {
      return Unpooled.EMPTY_BUFFER;
    }
    if (size <= ByteBudget.FREE_BYTES) {
      return detached(allocator, bytes);
    }
    Reservation owner = budget.open(ByteKind.ANSWER, account);
    owner.add(size);
    return of(allocator, bytes, owner);
  }

  /// Takes the reservation away from a body that is being copied elsewhere: whoever has the copy
  /// closes it. Empty when the bytes have none, because they are few.
  public static Optional<Reservation> takeOwner(ByteBuf bytes) {
    if (!(bytes instanceof OwnedBytes owned)) {
      return Optional.empty();
    }
    Reservation owner = owned.owner;
    owned.owner = owner.nothing();
    return Optional.of(owner);
  }

  /// Whether somebody answers for (most of) these bytes already.
  public static boolean isOwned(ByteBuf bytes) {
    for (ByteBuf at = bytes; at != null; at = at.unwrap()) {
      if (at instanceof OwnedBytes) {
        return true;
      }
      if (at instanceof CompositeByteBuf parts) {
        for (int i = 0; i < parts.numComponents(); i++) {
          if (isOwned(parts.internalComponent(i))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  @Override
  protected void deallocate() {
    super.deallocate();
    owner.close();
  }
}
