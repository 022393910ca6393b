package io.easyfaas.stubs.registry;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// How many code packages may be on their way to the disk, and how much of the disk they may take
/// until they are stored. Thread-safe.
///
/// Both are shared out as memory is, see {@link ByteBudget}: an account has no more places, and no
/// more bytes, than it leaves free, so that nobody who uploads slowly keeps the others out.
final class UploadRoom {
  // Who is refused is told to come back after a second; so long it may take to.
  private static final long CROWDED_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final int maxUploads;
  private final ByteSize maxBytes;
  private final ByteBudget uploads;
  private final ByteBudget bytes;
  private final LongSupplier nanoTime;
  private final AtomicReference<@Nullable Long> refusedAt = new AtomicReference<>();

  UploadRoom(int maxUploads, ByteSize maxBytes) {
    this(maxUploads, maxBytes, System::nanoTime);
  }

  /// @param nanoTime a clock as {@link System#nanoTime}
  UploadRoom(int maxUploads, ByteSize maxBytes, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
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

  /// Whether somebody was refused of late: those who upload slowly make way then.
  boolean isCrowded() {
    Long last = refusedAt.get();
    return last != null && nanoTime.getAsLong() - last < CROWDED_NANOS;
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
      refusedAt.set(nanoTime.getAsLong());
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
