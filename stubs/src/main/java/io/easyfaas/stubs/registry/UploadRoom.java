package io.easyfaas.stubs.registry;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;

/// How many code packages may be on their way to the disk, and how much of the disk they may take
/// until they are stored. Thread-safe.
///
/// Both are shared out as memory is, see {@link ByteBudget}: an account has no more places, and no
/// more bytes, than it leaves free, so that nobody who uploads slowly keeps the others out.
final class UploadRoom {
  private final int maxUploads;
  private final ByteSize maxBytes;
  private final ByteBudget uploads;
  private final ByteBudget bytes;

  UploadRoom(int maxUploads, ByteSize maxBytes) {
    this.maxUploads = maxUploads;
    this.maxBytes = maxBytes;
    this.uploads = new ByteBudget(maxUploads);
    this.bytes = new ByteBudget(maxBytes.bytes());
  }

  /// Room for one package, until it is closed. Safe to close twice.
  @FunctionalInterface
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /// Takes room for a package.
  ///
  /// @param account whose it is
  /// @param size bytes it has at most
  /// @throws ApiException UNAVAILABLE when there is none for the account now
  Place enter(String account, long size) {
    Reservation place = uploads.open(ByteKind.DOCUMENT, account);
    Reservation room = bytes.open(ByteKind.DOCUMENT, account);
    if (!place.grow(1) || !room.grow(size)) {
      place.close();
      room.close();
      throw new ApiException(
          ErrorCode.UNAVAILABLE,
          "Code: "
              + uploads.usage().reserved()
              + " uploads of "
              + new ByteSize(bytes.usage().reserved())
              + " are under way (expected: at most "
              + maxUploads
              + " and "
              + maxBytes
              + ", and of an account no more than are free)");
    }
    return () -> {
      room.close();
      place.close();
    };
  }
}
