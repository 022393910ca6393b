package io.easyfaas.controller.runtime;

import io.easyfaas.common.disk.DirectoryLock;
import io.easyfaas.common.disk.DiskFailure;
import io.easyfaas.common.disk.DiskTree;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/// Makes the slots' channels. Thread-safe.
///
/// There is one socket for each event loop, because what is accepted stays on the loop it was
/// accepted on, and so do all channels of a slot: `<run-dir>/channels/<loop>.sock`, in a directory
/// that is closed to everybody else, and that one controller has at a time: to another one its
/// sockets would be leftovers.
public final class SlotChannels implements AutoCloseable {
  private static final int ROOT = 0;
  private static final Duration GREETING_WAIT = Duration.ofSeconds(5);

  private final DirectoryLock lock;
  private final List<ChannelListener> listeners = new ArrayList<>();
  private final AtomicInteger next = new AtomicInteger();

  private SlotChannels(DirectoryLock lock) {
    this.lock = lock;
  }

  /// Starts listening.
  ///
  /// @param directory of the sockets; it is made, in place of whatever else is there
  /// @param queues of the loops
  /// @param nanoTime usually {@link System#nanoTime()}
  /// @param epochMillis usually {@link System#currentTimeMillis()}
  /// @throws RunnerException when another controller has the directory, or a socket cannot be made;
  ///   nothing is left then
  public static SlotChannels listen(
      Path directory, FlushQueues queues, LongSupplier nanoTime, LongSupplier epochMillis) {
    SlotChannels channels = new SlotChannels(lock(directory));
    try {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
      // Root starts runners, or this very user where the engine runs without it.
      Set<Integer> users = new HashSet<>(List.of(ROOT, owner(directory)));
      for (EventLoop loop : queues.loops()) {
        RunnerLoop shared =
            new RunnerLoop(
                (IoEventLoop) loop, queues.of(loop), queues.budget(), nanoTime, epochMillis);
        Path socket = directory.resolve(channels.listeners.size() + ".sock");
        channels.listeners.add(new ChannelListener(shared, socket, users, GREETING_WAIT));
      }
      return channels;
    } catch (IOException e) {
      channels.close();
      throw unusable(directory, e);
    } catch (RunnerException e) {
      channels.close();
      throw e;
    }
  }

  /// The channel of one slot, on the next loop in turn.
  ///
  /// @param slot names the sandbox in messages
  public SlotChannel of(String slot) {
    int turn = Math.floorMod(next.getAndIncrement(), listeners.size());
    return new SlotChannel(slot, listeners.get(turn));
  }

  /// Stops listening; the slots' channels are to be closed before. Safe to call twice.
  @Override
  public void close() {
    listeners.forEach(ChannelListener::close);
    try {
      lock.close();
    } catch (IOException e) {
      throw new RunnerException("unlock the channels: " + DiskFailure.text(e));
    }
  }

  private static DirectoryLock lock(Path directory) {
    try {
      if (!Files.isDirectory(directory)) {
        DiskTree.delete(directory);
      }
      Files.createDirectories(directory);
      return DirectoryLock.take(directory.resolve(".lock"));
    } catch (DirectoryLock.HeldException e) {
      throw new RunnerException(
          "--run-dir: " + directory + " is in use by another controller (pid " + e.holder() + ")");
    } catch (IOException e) {
      throw unusable(directory, e);
    }
  }

  private static RunnerException unusable(Path directory, IOException failure) {
    return new RunnerException("make " + directory + ": " + DiskFailure.text(failure));
  }

  private static int owner(Path directory) throws IOException {
    return (Integer) Files.getAttribute(directory, "unix:uid");
  }
}
