package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.LoadRequest;
import io.netty.channel.unix.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// The other end of a sandbox's channel: speaks frames, and does what the handler's name says.
///
/// `echo` answers with the event; `hold` keeps calls until the test answers them; `throw` fails;
/// `exit` ends the runner; `print` logs and answers; `native` writes to the pipe and answers.
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

  private final HandedOver channel;
  private final FileOutputStream output;
  private final BlockingQueue<Call> held;
  private final BlockingQueue<Integer> cancelled = new LinkedBlockingQueue<>();
  private final BlockingQueue<Integer> pings = new LinkedBlockingQueue<>();
  private volatile boolean answersPings = true;
  private String handler = "";

  /// Takes the runner's ends of a channel whose other ends it hands over.
  public FakeRunner(ChannelAddress address, BlockingQueue<Call> held) throws IOException {
    this.held = held;
    FileDescriptor[] pipe = FileDescriptor.pipe();
    try {
      this.output = HandedOver.writer(pipe[1]);
      this.channel = HandedOver.runner(address, pipe[0]);
    } finally {
      pipe[0].close();
      pipe[1].close();
    }
  }

  /// Writes to the runner's descriptors 1 and 2.
  public void print(String text) throws IOException {
    output.write(text.getBytes(UTF_8));
  }

  /// Says HELLO; the connection stays open.
  public void greet() {
    send(FrameType.HELLO, (byte) 0, 0, "{\"protocol\":2}".getBytes(UTF_8));
  }

  /// Says HELLO and loads whatever is asked for; the connection stays open.
  public void greetAndLoad() throws IOException {
    greet();
    ByteBuffer load = channel.nextFrame();
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
    channel.nextFrame();
    close();
  }

  /// Waits until it is told what to load.
  public void awaitLoad() throws IOException {
    channel.nextFrame();
  }

  /// Answers a call that it was not given.
  public void answerNobody() {
    send(FrameType.RESULT, (byte) 0, 77, new byte[0]);
  }

  /// Says nothing until the controller closes the connection.
  public void awaitEnd() throws IOException {
    channel.nextFrame();
  }

  /// Serves frames until the controller closes the connection.
  public void serve() throws IOException {
    while (true) {
      ByteBuffer frame = channel.nextFrame();
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
      channel.write(bytes);
    } catch (IOException _) {
      // The controller closed the connection; the reader sees it too.
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    output.close();
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
        output.write(event);
        held.add(call);
      }
      default -> throw new IOException("handler " + handler);
    }
  }

  private static byte[] payload(ByteBuffer frame) {
    byte[] payload = new byte[frame.limit() - FrameType.HEADER_BYTES];
    frame.get(FrameType.HEADER_BYTES, payload);
    return payload;
  }
}
