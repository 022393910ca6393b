package io.easyfaas.common.http;

import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.Optional;

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

  /// A buffer of so many bytes that nothing is written to yet.
  ///
  /// @param capacity bytes, as many as are reserved
  /// @param owner closed with the last reference, also when there is no memory
  public static OwnedBytes empty(ByteBufAllocator allocator, Reservation owner, int capacity) {
    OwnedBytes bytes = new OwnedBytes(allocator, owner);
    try {
      bytes.addComponent(false, allocator.directBuffer(capacity, capacity).writerIndex(capacity));
      return bytes;
    } catch (OutOfMemoryError e) {
      bytes.release();
      throw e;
    }
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
