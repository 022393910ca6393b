package io.easyfaas.funclet.container;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a function holds, given back in reverse order. Not thread-safe; owned by the thread that
/// keeps the container busy.
final class Holdings {
  private static final Logger LOG = LoggerFactory.getLogger(Holdings.class);

  private final Deque<Runnable> undo = new ArrayDeque<>();

  /// Adds how something is given back.
  void add(Runnable giveBack) {
    undo.push(giveBack);
  }

  /// Gives everything back. A failure is logged and keeps nothing else back. Safe to call twice.
  void release() {
    while (!undo.isEmpty()) {
      try {
        undo.pop().run();
      } catch (Throwable e) {
        LOG.error("could not be given back", e);
      }
    }
  }
}
