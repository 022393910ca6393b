package io.easyfaas.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running parts of a process, closed in reverse order of their start. Not thread-safe until
/// all are added; {@link #close} may then be called from any thread.
final class Parts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

  private final Deque<AutoCloseable> running = new ArrayDeque<>();

  /// Adds a part that was just started.
  ///
  /// @return the part
  <T extends AutoCloseable> T add(T part) {
    running.push(part);
    return part;
  }

  /// Closes the parts, last started first. A part that fails is logged and the others are closed
  /// all the same. Safe to call twice.
  @Override
  public synchronized void close() {
    while (!running.isEmpty()) {
      AutoCloseable part = running.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.error("{} did not stop cleanly", part.getClass().getSimpleName(), e);
      }
    }
  }
}
