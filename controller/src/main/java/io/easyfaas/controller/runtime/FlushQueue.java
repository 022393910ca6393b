package io.easyfaas.controller.runtime;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Flushes each socket once per turn of an event loop, however many writes the turn made. Confined
/// to its event loop.
///
/// Netty runs a loop's tasks after it has handled every socket that was ready. The task made here
/// therefore runs when all answers and calls of the turn are written, and one system call carries
/// what would have been many: at 16 connections a runner gets its calls in one piece.
public final class FlushQueue implements Runnable {
  /// Something with written bytes to flush.
  public interface Source {
    /// Sends what was written. Called once after each {@link FlushQueue#add}.
    void flush();
  }

  private static final Logger LOG = LoggerFactory.getLogger(FlushQueue.class);

  private final EventLoop loop;
  private ArrayList<Source> waiting = new ArrayList<>();
  private ArrayList<Source> flushing = new ArrayList<>();

  FlushQueue(EventLoop loop) {
    this.loop = loop;
  }

  /// Flushes the source at the end of this turn. The source adds itself at most once a turn.
  public void add(Source source) {
    if (waiting.isEmpty()) {
      loop.execute(this);
    }
    waiting.add(source);
  }

  @Override
  public void run() {
    ArrayList<Source> sources = waiting;
    waiting = flushing;
    flushing = sources;
    for (Source source : sources) {
      try {
        source.flush();
      } catch (RuntimeException | OutOfMemoryError e) {
        LOG.error("a flush failed", e); // The others must still go out.
      }
    }
    sources.clear();
  }
}
