package io.easyfaas.funclet.code;

import java.util.concurrent.Semaphore;

/// The heap that archives take together while they are open: what is known of an archive is known
/// as a whole, and many may be wanted at once. Whoever finds no room waits, in the order of coming.
/// Thread-safe.
final class OpenArchives {
  private final int total;
  private final Semaphore kibibytes;

  /// Room for one archive, until it is closed.
  record Turn(Semaphore from, int kibibytes) implements AutoCloseable {
    @Override
    public void close() {
      from.release(kibibytes);
    }
  }

  /// @param heap bytes of all that are open at once; an archive that takes more is open alone
  OpenArchives(long heap) {
    this.total = (int) Math.min(Integer.MAX_VALUE, heap >> 10);
    this.kibibytes = new Semaphore(total, true);
  }

  /// Waits until there is room. Goes on when the thread is interrupted.
  ///
  /// @param heap bytes that the archive may take
  Turn await(long heap) {
    int wanted = (int) Math.min(total, (heap >> 10) + 1);
    kibibytes.acquireUninterruptibly(wanted);
    return new Turn(kibibytes, wanted);
  }
}
