package io.easyfaas.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/// Where a command's answer goes. It remembers what a writer above it does not tell: that something
/// could not be written. Not thread-safe.
final class AnswerOutput extends FilterOutputStream {
  private @Nullable IOException failure;

  AnswerOutput(OutputStream target) {
    super(target);
  }

  @Override
  public void write(int one) throws IOException {
    write(new byte[] {(byte) one}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      out.write(bytes, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /// Why something is missing from what was written; null when nothing is, or when the reader has
  /// gone away, as `head` does, and so wants no more.
  @Nullable String loss() {
    String reason = failure == null ? null : String.valueOf(failure.getMessage());
    return reason == null || reason.contains("Broken pipe") ? null : reason;
  }
}
