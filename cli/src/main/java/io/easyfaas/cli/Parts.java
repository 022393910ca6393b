package io.easyfaas.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running parts of a process, closed in reverse order of their start. Thread-safe.
final class Parts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

  private final Deque<AutoCloseable> running = new ArrayDeque<>();
  private boolean closed;

  /// Adds a part that was just started.
  ///
  /// @return the part
  /// @throws IllegalStateException when the parts are closed already; the new one is closed then
  synchronized <T extends AutoCloseable> T add(T part) {
    running.push(part);
    if (closed) {
      close();
      throw new IllegalStateException("the process is stopping");
    }
    return part;
  }

  /// Closes the parts, last started first. A part that fails, by whatever, is logged and the others
  /// are closed all the same: else what is on the machine would stay there. Safe to call twice.
  @Override
  public synchronized void close() {
    closed = true;
    while (!running.isEmpty()) {
      AutoCloseable part = running.pop();
      try {
        part.close();
      } catch (Throwable e) {
        LOG.error("{} did not stop cleanly", part.getClass().getSimpleName(), e);
      }
    }
  }
}
