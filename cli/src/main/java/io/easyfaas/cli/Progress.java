package io.easyfaas.cli;

import io.easyfaas.common.config.ByteSize;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/// Shows on one line how much of a stream was read, and wipes the line at its end. Not thread-safe.
final class Progress extends FilterInputStream {
  private static final Duration EVERY = Duration.ofMillis(100);
  private static final int BAR = 30;
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");

  private final long total;
  private final PrintWriter terminal;
  private final LongSupplier nanoTime;
  private final long begun;
  private long read;
  private long shownAt;
  private int shown;

  /// Watches a stream.
  ///
  /// @param total bytes it has
  /// @param terminal where the line goes
  /// @param nanoTime usually {@link System#nanoTime()}
  Progress(InputStream stream, long total, PrintWriter terminal, LongSupplier nanoTime) {
    super(stream);
    this.total = total;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.begun = nanoTime.getAsLong();
    this.shownAt = begun;
  }

  /// Whether somebody watches: standard error is a terminal that can go back to the line's begin.
  static boolean isWatched() {
    if ("dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      String file = Files.readSymbolicLink(STANDARD_ERROR).toString();
      return file.startsWith("/dev/pts/")
          || file.startsWith("/dev/tty")
          || file.equals("/dev/console");
    } catch (IOException _) {
      return false;
    }
  }

  @Override
  public int read() throws IOException {
    int one = in.read();
    moved(one < 0 ? 0 : 1);
    return one;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count = in.read(target, offset, length);
    moved(count);
    return count;
  }

  @Override
  public void close() throws IOException {
    if (shown > 0) {
      terminal.print("\r" + " ".repeat(shown) + "\r");
      terminal.flush();
      shown = 0;
    }
    super.close();
  }

  private void moved(int count) {
    read += Math.max(0, count);
    long now = nanoTime.getAsLong();
    if (now - shownAt >= EVERY.toNanos()) {
      shownAt = now;
      show(now);
    }
  }

  private void show(long now) {
    int done = (int) Math.min(BAR, total == 0 ? BAR : read * BAR / total);
    double seconds = (now - begun) / 1e9;
    String line =
        String.format(
            Locale.ROOT,
            "uploading [%s%s] %.1f of %.1f MiB, %.1f MiB/s",
            "#".repeat(done),
            ".".repeat(BAR - done),
            mebibytes(read),
            mebibytes(total),
            mebibytes(read) / seconds);
    terminal.print("\r" + line + " ".repeat(Math.max(0, shown - line.length())));
    terminal.flush();
    shown = Math.max(shown, line.length());
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) ByteSize.ofMebibytes(1).bytes();
  }
}
