package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import java.util.function.Supplier;

/// Bytes and the reservation that answers for them: it is closed when the last reference to the
/// bytes is released, wherever they went and however they end. As thread-safe as any buffer.
public final class OwnedBytes extends CompositeByteBuf {
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

  /// Keeps bytes for longer than the buffer may be kept that they were read into: few are copied,
  /// and what is more than a little is answered for, unless somebody does already.
  ///
  /// @param bytes stay the caller's
  /// @param account opens a reservation for them, which grows whether there is room or not
  /// @return belongs to the caller
  public static ByteBuf keep(
      ByteBufAllocator allocator, ByteBuf bytes, Supplier<Reservation> account) {
    int size = bytes.readableBytes();
    if (isOwned(bytes)) {
      return bytes.retain();
    }
    if (size == 0) {
      return Unpooled.EMPTY_BUFFER;
    }
    if (size <= ByteBudget.FREE_BYTES) {
      return allocator.directBuffer(size, size).writeBytes(bytes, bytes.readerIndex(), size);
    }
    Reservation owner = account.get();
    owner.add(size);
    return size >= BodyCollector.LARGE_BYTES
        ? new OwnedBytes(allocator, owner).addComponent(true, bytes.retainedSlice())
        : empty(allocator, owner, size).writeBytes(bytes, bytes.readerIndex(), size);
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
