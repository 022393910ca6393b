package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.LoadRequest;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// The other end of a sandbox's sockets: speaks frames, and does what the handler's name says.
///
/// `echo` answers with the event; `hold` keeps calls until the test answers them; `throw` fails;
/// `exit` ends the runner; `print` logs and answers; `native` writes to output.sock and answers.
public final class FakeRunner implements AutoCloseable {
  /// A call the runner got and has not answered.
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record Call(
      FakeRunner runner, int id, long deadlineMillis, String requestId, byte[] event) {
    /// The event as text.
    public String text() {
      return new String(event, UTF_8);
    }

    /// Answers the call.
    public void answer(String text) {
      runner.send(FrameType.RESULT, (byte) 0, id, text.getBytes(UTF_8));
    }
  }

  private final Path directory;
  private final SocketChannel channel;
  private final BlockingQueue<Call> held;
  private final BlockingQueue<Integer> cancelled = new LinkedBlockingQueue<>();
  private final BlockingQueue<Integer> pings = new LinkedBlockingQueue<>();
  private final BlockingQueue<Integer> outputRead = new LinkedBlockingQueue<>();
  private volatile boolean answersPings = true;
  private String handler = "";

  /// Connects to `runner.sock` in the directory.
  public FakeRunner(Path directory, BlockingQueue<Call> held) throws IOException {
    this.directory = directory;
    this.held = held;
    this.channel = connect(directory.resolve("runner.sock"));
  }

  /// Connects to a socket.
  public static SocketChannel connect(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return channel;
  }

  /// Says HELLO; the connection stays open.
  public void greet() {
    send(FrameType.HELLO, (byte) 0, 0, "{\"protocol\":2}".getBytes(UTF_8));
  }

  /// Says HELLO and loads whatever is asked for; the connection stays open.
  public void greetAndLoad() throws IOException {
    greet();
    ByteBuffer load = frame();
    LoadRequest request = Json.CAMEL.read(payload(load), LoadRequest.class);
    handler = request.handler();
    if (handler.equals("index.loadfail")) {
      send(
          FrameType.LOAD_FAILED,
          (byte) 0,
          0,
          "{\"errorMessage\":\"no\",\"errorType\":\"Runtime.ImportModuleError\",\"stackTrace\":[]}"
              .getBytes(UTF_8));
    } else {
      send(FrameType.READY, (byte) 0, 0, "{\"initMillis\":1}".getBytes(UTF_8));
    }
  }

  /// Says HELLO and ends when it is to load.
  public void endWhileLoading() throws IOException {
    send(FrameType.HELLO, (byte) 0, 0, "{\"protocol\":2}".getBytes(UTF_8));
    frame();
    close();
  }

  /// Says nothing until the controller closes the connection.
  public void awaitEnd() throws IOException {
    frame();
  }

  /// Serves frames until the controller closes the connection.
  public void serve() throws IOException {
    while (true) {
      ByteBuffer frame = frame();
      int id = frame.getInt(8);
      switch (frame.get(4)) {
        case FrameType.INVOKE -> invoke(id, frame);
        case FrameType.PING -> {
          if (answersPings) {
            send(FrameType.PONG, (byte) 0, id, new byte[0]);
          }
          pings.add(id);
        }
        case FrameType.CANCEL -> cancelled.add(id);
        default -> throw new IOException("frame of type " + frame.get(4));
      }
    }
  }

  /// The next cancelled call's id.
  public int awaitCancel() throws InterruptedException {
    Integer id = cancelled.poll(10, TimeUnit.SECONDS);
    if (id == null) {
      throw new AssertionError("no CANCEL in 10s");
    }
    return id;
  }

  /// Waits until the controller has read what `native` wrote.
  public void awaitOutputRead() throws InterruptedException {
    if (outputRead.poll(10, TimeUnit.SECONDS) == null) {
      throw new AssertionError("output was not read in 10s");
    }
  }

  /// Waits until a ping has come and been answered.
  public void awaitPing() throws InterruptedException {
    if (pings.poll(10, TimeUnit.SECONDS) == null) {
      throw new AssertionError("no PING in 10s");
    }
  }

  /// Stops answering pings.
  public void fallSilent() {
    answersPings = false;
  }

  /// Sends a frame.
  public synchronized void send(byte type, byte flags, int id, byte[] payload) {
    ByteBuffer frame = ByteBuffer.allocate(FrameType.HEADER_BYTES + payload.length);
    frame
        .putInt(FrameType.COUNTED_HEADER_BYTES + payload.length)
        .put(type)
        .put(flags)
        .putShort((short) 0)
        .putInt(id)
        .put(payload)
        .flip();
    sendRaw(frame);
  }

  /// Sends bytes as they are.
  public synchronized void sendRaw(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException _) {
      // The controller closed the connection; the reader sees it too.
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void invoke(int id, ByteBuffer frame) throws IOException {
    ByteBuffer payload = frame.position(FrameType.HEADER_BYTES);
    long deadline = payload.getLong();
    byte[] requestId = new byte[payload.getShort()];
    byte[] headers = new byte[payload.getShort()];
    payload.get(requestId).get(headers);
    byte[] event = new byte[payload.remaining()];
    payload.get(event);
    Call call = new Call(this, id, deadline, new String(requestId, UTF_8), event);
    switch (handler) {
      case "index.echo" -> send(FrameType.RESULT, (byte) 0, id, event);
      case "index.hold" -> held.add(call);
      case "index.throw" ->
          send(
              FrameType.RESULT,
              FrameType.FLAG_FAILED,
              id,
              "{\"errorMessage\":\"boom\",\"errorType\":\"Error\",\"stackTrace\":[]}"
                  .getBytes(UTF_8));
      case "index.exit" -> {
        held.add(call);
        close();
      }
      case "index.print" -> {
        send(FrameType.LOG, (byte) 0, id, "to stdout\n".getBytes(UTF_8));
        send(FrameType.LOG, FrameType.FLAG_STDERR, id, event);
        call.answer("printed");
      }
      case "index.native" -> {
        try (SocketChannel output = connect(directory.resolve("output.sock"))) {
          output.write(ByteBuffer.wrap(event));
          output.shutdownOutput();
          // The controller closes what has ended, so it has read everything by then.
          outputRead.add(output.read(ByteBuffer.allocate(1)));
        }
        held.add(call);
      }
      default -> throw new IOException("handler " + handler);
    }
  }

  private ByteBuffer frame() throws IOException {
    ByteBuffer length = ByteBuffer.allocate(4);
    read(length);
    ByteBuffer frame = ByteBuffer.allocate(4 + length.getInt(0));
    frame.putInt(length.getInt(0));
    read(frame);
    return frame.flip();
  }

  private static byte[] payload(ByteBuffer frame) {
    byte[] payload = new byte[frame.limit() - FrameType.HEADER_BYTES];
    frame.get(FrameType.HEADER_BYTES, payload);
    return payload;
  }

  private void read(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("the controller closed the connection");
      }
    }
  }
}
