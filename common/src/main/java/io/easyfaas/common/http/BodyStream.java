package io.easyfaas.common.http;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A body on its way from the event loop to the one thread that reads it: a ring of 256 KiB between
/// them, or of what the body has. When 128 KiB are in it the socket is not read until the reader
/// has caught up. It is there until the stream is closed, however long the connection goes on.
///
/// The loop never waits: each side writes its own position and reads the other's. The reader waits
/// without a time of its own; whoever feeds the stream ends or fails it in time, or when the
/// connection is gone.
final class BodyStream extends InputStream {
  /// What a stream keeps in memory at most.
  static final int CAPACITY = 256 * 1024;

  // What is read from a socket in one go fits in what is left then, twice.
  private static final int HIGH = CAPACITY / 2;
  private static final int LOW = CAPACITY / 4;
  private static final byte[] NOTHING = {};

  private final EventExecutor loop;
  private final ReadGate gate;
  private final Runnable onClose;
  private final int capacity;

  private volatile byte[] ring;
  private volatile long written; // By the loop alone.
  private volatile long taken; // By the reader alone.
  private volatile boolean ended;
  private volatile boolean paused;
  private volatile boolean closed;
  private volatile @Nullable IOException failure;
  private volatile @Nullable HttpResponse refusal;
  private volatile @Nullable Thread reader;
  private volatile @Nullable Runnable wanted;

  /// Creates an empty stream.
  ///
  /// @param loop the connection's
  /// @param length bytes that come at most
  /// @param wanted runs once, on the loop, when the reader waits for the first time; null for
  ///   nothing
  /// @param onClose runs when the reader closes the stream, on its thread; may run twice
  BodyStream(
      EventExecutor loop, ReadGate gate, long length, @Nullable Runnable wanted, Runnable onClose) {
    this.loop = loop;
    this.gate = gate;
    this.capacity = Math.clamp(length, 1, CAPACITY);
    this.ring = new byte[capacity];
    this.onClose = onClose;
    this.wanted = wanted;
  }

  /// Adds bytes, and the end when they are the last. On the loop.
  ///
  /// @param piece stays the caller's to release
  /// @throws IllegalStateException when it does not fit, because the socket was read in spite of
  ///   its gate
  void offer(ByteBuf piece, boolean isLast) {
    int size = piece.readableBytes();
    byte[] target = ring;
    if (!closed && size > 0) {
      long at = written;
      if (size > capacity - (at - taken)) {
        throw new IllegalStateException("body: " + size + " bytes more than there is room for");
      }
      int start = (int) (at % capacity);
      int first = Math.min(size, capacity - start);
      piece.getBytes(piece.readerIndex(), target, start, first);
      piece.getBytes(piece.readerIndex() + first, target, 0, size - first);
      written = at + size;
    }
    if (isLast) {
      ended = true;
    } else if (written - taken > HIGH && !paused) {
      gate.close(ReadGate.Reason.READER_IS_SLOW);
      paused = true;
      resumeIfDrained(); // The reader may have looked at it before it was set.
    }
    wake();
  }

  /// Ends the stream with a failure; the reader gets it after the bytes before it. On the loop.
  ///
  /// @param answer what the peer is told instead of the handler's answer; null when nothing
  void fail(IOException cause, @Nullable HttpResponse answer) {
    if (!ended) {
      refusal = answer;
      failure = cause;
      ended = true;
      wake();
    }
  }

  /// Whether the whole body came, or what came before it broke. Any thread.
  boolean isEnded() {
    return ended;
  }

  /// What the peer is to be told about its body instead of the handler's answer. Any thread.
  Optional<HttpResponse> refusal() {
    return Optional.ofNullable(refusal);
  }

  /// Whether the peer still waits to be asked for the body. Any thread.
  boolean isUnasked() {
    return wanted != null;
  }

  /// Whether the body broke off, which is nobody's fault but the peer's. Any thread.
  boolean isBroken() {
    return failure != null;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (closed) {
      throw new IOException("body is closed");
    }
    if (!await()) {
      IOException broken = failure;
      if (broken != null) {
        throw new IOException(broken.getMessage(), broken);
      }
      return -1;
    }
    long at = taken;
    int size = (int) Math.min(length, written - at);
    int start = (int) (at % capacity);
    int first = Math.min(size, capacity - start);
    System.arraycopy(ring, start, target, offset, first);
    System.arraycopy(ring, 0, target, offset + first, size - first);
    taken = at + size;
    resumeIfDrained();
    return size;
  }

  @Override
  public int available() {
    return (int) (written - taken);
  }

  /// Drops the rest. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    ring = NOTHING; // The loop may be writing to what was there.
    taken = written;
    resumeIfDrained();
    onClose.run();
  }

  /// Waits for bytes; false at the end.
  private boolean await() throws IOException {
    reader = Thread.currentThread();
    try {
      while (written == taken) {
        if (ended) {
          return written != taken;
        }
        ask();
        LockSupport.park(this);
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("interrupted while reading a body");
        }
      }
      return true;
    } finally {
      reader = null;
    }
  }

  private void ask() {
    Runnable first = wanted;
    wanted = null;
    if (first != null) {
      onLoop(first);
    }
  }

  private void resumeIfDrained() {
    if (paused && (closed || written - taken <= LOW)) {
      onLoop(() -> {
        if (paused && (closed || written - taken <= LOW)) {
          paused = false;
          gate.open(ReadGate.Reason.READER_IS_SLOW);
        }
      });
    }
  }

  private void onLoop(Runnable work) {
    if (loop.inEventLoop()) {
      work.run();
      return;
    }
    try {
      loop.execute(requireNonNull(work));
    } catch (RejectedExecutionException _) {
      // The loop has ended, and the connection with it.
    }
  }

  private void wake() {
    Thread waiting = reader;
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }
}
