package io.easyfaas.common.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Lines on their way to a stream that may not take them: nobody may be reading the other end of
/// the pipe. Whoever adds a line never waits; a line that does not fit is dropped, and once the
/// stream takes lines again it is told how many were. Thread-safe.
public final class LineQueue {
  private static final int MAX_BYTES = 1 << 20;
  private static final LineQueue STANDARD_ERROR =
      new LineQueue(new FileOutputStream(FileDescriptor.err), MAX_BYTES);

  private final OutputStream target;
  private final int maxBytes;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final ArrayDeque<byte[]> lines = new ArrayDeque<>();

  @GuardedBy("lock")
  private int bytes;

  /// Dropped since the stream was last told.
  @GuardedBy("lock")
  private long untold;

  @GuardedBy("lock")
  private long dropped;

  @GuardedBy("lock")
  private boolean isWriting;

  @GuardedBy("lock")
  private @Nullable Thread writer;

  /// Creates a queue; its thread starts with the first line.
  ///
  /// @param target written to by one thread, unbuffered
  /// @param maxBytes of lines that wait
  LineQueue(OutputStream target, int maxBytes) {
    this.target = target;
    this.maxBytes = maxBytes;
  }

  /// The queue of this process's standard error, of which there is one.
  public static LineQueue standardError() {
    return STANDARD_ERROR;
  }

  /// Adds a line, or drops it.
  ///
  /// @param line with its end
  public void add(String line) {
    byte[] text = line.getBytes(UTF_8);
    synchronized (lock) {
      if (untold > 0 || bytes + text.length > maxBytes) {
        untold++;
        dropped++;
        return;
      }
      lines.addLast(text);
      bytes += text.length;
      if (writer == null) {
        Thread thread = new Thread(this::write, "log");
        thread.setDaemon(true);
        writer = thread;
        thread.start();
      }
      lock.notifyAll();
    }
  }

  /// Lines that were dropped, ever.
  public long dropped() {
    synchronized (lock) {
      return dropped;
    }
  }

  /// Waits until all lines are written: for the end of the process.
  ///
  /// @param patience the longest wait
  public void flush(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    synchronized (lock) {
      while (!lines.isEmpty() || isWriting || untold > 0) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          return;
        }
        try {
          lock.wait(left);
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }

  private void write() {
    while (true) {
      byte[] line;
      try {
        line = next();
      } catch (InterruptedException _) {
        return; // Nobody interrupts it but who wants it to end.
      }
      try {
        target.write(line);
      } catch (IOException _) {
        // There is nowhere to say so.
      }
      synchronized (lock) {
        isWriting = false;
        lock.notifyAll();
      }
    }
  }

  /// The next line, waiting for it. After those that were kept comes how many were not.
  private byte[] next() throws InterruptedException {
    synchronized (lock) {
      while (lines.isEmpty() && untold == 0) {
        lock.wait();
      }
      isWriting = true;
      byte[] line = lines.pollFirst();
      if (line != null) {
        bytes -= line.length;
        return line;
      }
      String told = untold + (untold == 1 ? " log line was" : " log lines were") + " dropped\n";
      untold = 0;
      return told.getBytes(UTF_8);
    }
  }
}
