package io.easyfaas.controller.runtime;

import io.easyfaas.common.http.OwnedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The engine's end of the pipe that is descriptors 1 and 2 of a sandbox. Confined to its event
/// loop.
///
/// It is registered with the loop's epoll directly, because Netty has no channel for pipes.
/// Edge-triggered: the kernel speaks up once for what is new, so everything is read, or is known to
/// be unread ({@link #reading}).
@SuppressWarnings("FutureReturnValueIgnored") // What failed is told to the listener.
final class OutputPipe implements EpollIoHandle, PrintBudget.Source, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputPipe.class);
  // As much as a pipe holds, unless its tenant asked the kernel for more (fcntl F_SETPIPE_SZ), and
  // one more byte: only that it is not there tells that this was all.
  private static final int MAX_DRAINED_BYTES = 64 * 1024 + 1;
  // A pipe of ordinary size has so many buffers, however little each write puts into one of its own
  // (O_DIRECT, see pipe(2)).
  private static final int MAX_DRAINING_READS = 17;
  // Reads in one turn of the loop; others come in between.
  private static final int READS_PER_TURN = 4;

  /// Takes what was printed.
  interface Sink {
    /// Something was printed.
    ///
    /// @param text valid until the method returns
    /// @return in how many pieces
    int printed(ByteBuf text);

    /// All that was printed so far has been taken.
    void caughtUp();
  }

  private final FileDescriptor end;
  private final RunnerLoop loop;
  private final PrintBudget budget;
  private final Sink sink;
  private @Nullable IoRegistration registration;
  private boolean paused;
  private boolean isQueued;
  private boolean isAtEnd;

  /// Takes over a descriptor, which must not block.
  OutputPipe(FileDescriptor end, RunnerLoop loop, PrintBudget budget, Sink sink) {
    this.end = end;
    this.loop = loop;
    this.budget = budget;
    this.sink = sink;
  }

  /// Starts reading.
  void open() {
    budget.add(this);
    loop.loop
        .register(this)
        .addListener(done -> {
          if (done.isSuccess()) {
            registered((IoRegistration) done.getNow());
          } else {
            LOG.error("output is not read", done.cause());
            close();
          }
        });
  }

  private void registered(IoRegistration registered) {
    if (isAtEnd) {
      registered.cancel();
      return;
    }
    registration = registered;
    registered.submit(EpollIoOps.EPOLLIN.with(EpollIoOps.EPOLLET));
  }

  @Override
  public FileDescriptor fd() {
    return end;
  }

  @Override
  public void handle(IoRegistration registered, IoEvent event) {
    readSome();
  }

  @Override
  public void reading(boolean on) {
    paused = !on;
    if (on) {
      readSome();
    }
  }

  /// Reads what was written before now, as far as a pipe of ordinary size holds it.
  ///
  /// @return whether that was all
  boolean drain() {
    int left = MAX_DRAINED_BYTES;
    for (int i = 0; i < MAX_DRAINING_READS && left > 0 && !isAtEnd; i++) {
      int size = read(left);
      if (size <= 0) {
        return true;
      }
      left -= size;
    }
    return isAtEnd;
  }

  /// Stops reading; what is unread is lost. Safe to call twice.
  @Override
  public void close() {
    isAtEnd = true;
    IoRegistration registered = registration;
    registration = null;
    if (registered != null) {
      registered.cancel();
    }
    if (end.isOpen()) {
      try {
        end.close();
      } catch (IOException e) {
        LOG.warn("output: close: {}", e.getMessage());
      }
    }
  }

  /// Goes on in the next turn of the loop, once, however often it is asked to.
  private void readOn() {
    if (!isQueued && !paused && !isAtEnd) {
      isQueued = true;
      loop.loop.execute(() -> {
        isQueued = false;
        readSome();
      });
    }
  }

  private void readSome() {
    if (isQueued) {
      return;
    }
    for (int i = 0; i < READS_PER_TURN && !paused && !isAtEnd; i++) {
      if (read(OwnedBytes.READ_BYTES) <= 0) {
        return;
      }
    }
    readOn();
  }

  /// Returns the bytes read; 0 when there are none now, -1 when there will never be any.
  private int read(int limit) {
    ByteBuf buffer = loop.output;
    int size;
    try {
      size = end.readAddress(buffer.memoryAddress(), 0, Math.min(limit, OwnedBytes.READ_BYTES));
    } catch (IOException e) {
      LOG.warn("output: read: {}", e.getMessage());
      size = -1;
    }
    if (size > 0) {
      long since = budget.now();
      int pieces = sink.printed(buffer.setIndex(0, size));
      budget.spend(size + (1 + pieces) * PrintBudget.PIECE_BYTES);
      budget.tookSince(since);
      return size;
    }
    if (size < 0) {
      close();
    }
    sink.caughtUp();
    return size;
  }
}
