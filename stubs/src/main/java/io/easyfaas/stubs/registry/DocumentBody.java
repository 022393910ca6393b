package io.easyfaas.stubs.registry;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// A document's bytes, of which only the code may be many. Not thread-safe.
final class DocumentBody extends InputStream {
  private static final int BUFFER_SLACK_BYTES = 64 * 1024; // What a parser reads ahead.

  private final InputStream stream;
  private final LongSupplier code;
  private int first = -1;
  private long read;
  private @Nullable ApiException failure;

  /// @param code how many of the bytes so far were code
  DocumentBody(InputStream stream, LongSupplier code) {
    this.stream = stream;
    this.code = code;
  }

  /// Whether there is anything at all.
  boolean begins() throws IOException {
    first = stream.read();
    return first >= 0;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (first >= 0 && length > 0) {
      target[offset] = (byte) first;
      first = -1;
      return 1;
    }
    int count = stream.read(target, offset, length);
    read += Math.max(0, count);
    if (read - code.getAsLong() > UploadReader.MAX_SETTINGS_BYTES + BUFFER_SLACK_BYTES) {
      ApiException tooLarge =
          new ApiException(
              ErrorCode.REQUEST_TOO_LARGE,
              "settings are larger than the limit (expected: at most "
                  + UploadReader.MAX_SETTINGS_BYTES
                  + " bytes besides Code)");
      failure = tooLarge;
      throw tooLarge;
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }

  /// Throws again why it could not be read, if it could not.
  void rethrow() {
    ApiException thrown = failure;
    if (thrown != null) {
      throw thrown;
    }
  }
}
