package io.easyfaas.stubs.registry;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;

/// How many code packages may be on their way to the disk, and how much of the disk they may take
/// until they are stored. Thread-safe.
final class UploadRoom {
  private final int maxUploads;
  private final ByteSize maxBytes;

  @GuardedBy("this")
  private int uploads;

  @GuardedBy("this")
  private long bytes;

  UploadRoom(int maxUploads, ByteSize maxBytes) {
    this.maxUploads = maxUploads;
    this.maxBytes = maxBytes;
  }

  /// Room for one package, until it is closed. Once.
  @FunctionalInterface
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /// Takes room for a package.
  ///
  /// @param size bytes it has at most
  /// @throws ApiException UNAVAILABLE when there is none now
  synchronized Place enter(long size) {
    if (uploads >= maxUploads || bytes + size > maxBytes.bytes()) {
      throw new ApiException(
          ErrorCode.UNAVAILABLE,
          "Code: "
              + uploads
              + " uploads of "
              + new ByteSize(bytes)
              + " are under way (expected: at most "
              + maxUploads
              + " and "
              + maxBytes
              + ")");
    }
    uploads++;
    bytes += size;
    return () -> leave(size);
  }

  private synchronized void leave(long size) {
    uploads--;
    bytes -= size;
  }
}
