package io.easyfaas.funclet.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/// Writes requests one after the other, on a thread of its own. Thread-safe.
///
/// Nobody else touches the channel: an interrupt in the midst of a write closes it, and the
/// launcher ends with it; and a launcher that reads no further would hold up whoever writes. It is
/// a platform thread because every start of a sandbox waits for it.
final class RequestWriter {
  /// Requests that wait to be written: two for each of as many slots as there can be.
  static final int CAPACITY = 8192;

  private static final byte[] END = {}; // No request is empty.

  private final WritableByteChannel channel;
  private final Consumer<IOException> onFailure;
  private final BlockingQueue<byte[]> requests = new ArrayBlockingQueue<>(CAPACITY);

  /// @param onFailure told, at most once, why nothing can be written any more
  RequestWriter(WritableByteChannel channel, Consumer<IOException> onFailure) {
    this.channel = channel;
    this.onFailure = onFailure;
  }

  void start() {
    Thread.ofPlatform().daemon().name("launcher-writer").start(this::write);
  }

  /// Has a request written after all that came before. Does not block.
  ///
  /// @return false when too many wait already
  boolean offer(byte[] request) {
    return requests.offer(request);
  }

  /// Ends the thread, whatever waits. A write that does not end ends with the channel's closing.
  void end() {
    requests.clear();
    boolean _ = requests.offer(END);
  }

  private void write() {
    try {
      for (byte[] request = requests.take(); request.length > 0; request = requests.take()) {
        ByteBuffer buffer = ByteBuffer.wrap(request);
        while (buffer.hasRemaining()) {
          int _ = channel.write(buffer);
        }
      }
    } catch (IOException e) {
      onFailure.accept(e);
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    }
  }

  /// A request as the launcher reads it, see launcher.md "Serve protocol".
  static byte[] encode(long number, LauncherCommand command) {
    int length = 4;
    byte[][] arguments = new byte[command.arguments().size()][];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = command.arguments().get(i).getBytes(UTF_8);
      length += arguments[i].length + 1;
    }
    ByteBuffer buffer = ByteBuffer.allocate(4 + length);
    buffer.putInt(length).putInt((int) number);
    for (byte[] argument : arguments) {
      buffer.put(argument).put((byte) 0);
    }
    return buffer.array();
  }
}
