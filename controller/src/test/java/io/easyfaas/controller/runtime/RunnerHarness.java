package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.ConnectionLimit;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.controller.HandedOver;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// One slot's channel with both its ends: what the controller makes of it is told to a queue, the
/// sandbox's ends are the test's. Every wait is at most 20 s.
final class RunnerHarness implements AutoCloseable {
  /// What the function's log cannot take.
  static final String BROKEN = "broken";

  private static final String MARK = "00112233445566ff";
  static final String HELLO =
      "{\"protocol\":" + FrameType.PROTOCOL + ",\"outputMark\":\"" + MARK + "\"}";
  static final Duration WAIT = Duration.ofSeconds(20);

  /// What became of calls, the function's log and the runner, in order.
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  final ByteBudget bytes = new ByteBudget(1 << 20);
  private final EventLoops loops = new EventLoops(1, bytes, new ConnectionLimit(1));
  final SlotChannels channels;
  final SlotChannel channel;
  private final FileDescriptor[] pipe;

  /// What whoever keeps the runner, or the function's log, hears and fails at, as it is told.
  volatile String breaksAt = "nothing";

  /// So much later it is than it was.
  final AtomicLong laterNanos = new AtomicLong();

  RunnerHarness(Path directory) throws IOException {
    channels =
        SlotChannels.listen(
            directory,
            new FlushQueues(loops),
            () -> System.nanoTime() + laterNanos.get(),
            System::currentTimeMillis);
    channel = channels.of("c0");
    pipe = FileDescriptor.pipe();
  }

  /// The sandbox's ends.
  ///
  /// @param frames descriptor 3
  /// @param output descriptors 1 and 2
  record Ends(HandedOver frames, FileOutputStream output) {
    void print(String text) throws IOException {
      output.write(text.getBytes(UTF_8));
    }

    /// Prints as a runner does.
    void record(int flags, int id, String text) throws IOException {
      byte[] bytes = text.getBytes(UTF_8);
      output.write(
          ByteBuffer.allocate(16 + bytes.length)
              .put((byte) 0xff)
              .put(HexFormat.of().parseHex(MARK))
              .put((byte) flags)
              .putShort((short) bytes.length)
              .putInt(id)
              .put(bytes)
              .array());
    }

    void send(byte type, int flags, int id, String payload) throws IOException {
      frames.write(frame(type, flags, id, payload.getBytes(UTF_8)));
    }

    void hello() throws IOException {
      send(FrameType.HELLO, 0, 0, HELLO);
    }

    void answer(int id, String answer) throws IOException {
      send(FrameType.RESULT, 0, id, answer);
    }

    /// The next frame's type.
    byte next() throws IOException {
      return frames.nextFrame().get(4);
    }
  }

  static ByteBuffer frame(byte type, int flags, int id, byte[] payload) {
    return ByteBuffer.allocate(FrameType.HEADER_BYTES + payload.length)
        .putInt(FrameType.COUNTED_HEADER_BYTES + payload.length)
        .put(type)
        .put((byte) flags)
        .putShort((short) 0)
        .putInt(id)
        .put(payload)
        .flip();
  }

  /// Starts a runner, as far as the controller can tell.
  Ends start() throws IOException {
    return handOver(channel.offer().orElseThrow());
  }

  Ends handOver(ChannelAddress address) throws IOException {
    return new Ends(HandedOver.runner(address, pipe[0]), HandedOver.writer(pipe[1]));
  }

  /// The other end of {@link Ends#output}, for what comes by another way.
  FileDescriptor output() {
    return pipe[0];
  }

  /// Loads a function in it.
  RunnerConnection load(Ends ends) throws Exception {
    RunnerConnection runner = channel.awaitRunner(WAIT);
    ends.hello();
    Thread loading = Thread.ofVirtual().start(() -> load(runner));
    if (ends.next() != FrameType.LOAD) {
      throw new AssertionError("no LOAD");
    }
    ends.send(FrameType.READY, 0, 0, "{}");
    loading.join(WAIT);
    expect("loading", "ready");
    return runner;
  }

  LoadOutcome load(RunnerConnection runner) {
    return runner.load(
        new LoadedFunction("owner", new byte[] {'{', '}'}, Duration.ofSeconds(60), new Log()),
        WAIT,
        WAIT,
        new Events());
  }

  RecordedCall call(String id) {
    return new RecordedCall(id, "{}", told);
  }

  /// The next thing that was told.
  String next() throws InterruptedException {
    String event = told.poll(WAIT.toSeconds(), TimeUnit.SECONDS);
    if (event == null) {
      throw new AssertionError("nothing in " + WAIT);
    }
    return event;
  }

  void expect(String... events) throws InterruptedException {
    for (String event : events) {
      String told = next();
      if (!told.equals(event)) {
        throw new AssertionError("told: " + told + " (expected: " + event + ")");
      }
    }
  }

  /// Waits until the loop has done what it was told.
  void settle() {
    loops.group().forEach(loop -> loop.submit(() -> {}).awaitUninterruptibly());
  }

  /// Runs something on the loop.
  void onLoop(Runnable action) {
    loops.group().next().submit(action).syncUninterruptibly();
  }

  @Override
  public void close() throws IOException {
    channel.close();
    channels.close();
    loops.close();
    pipe[0].close();
    pipe[1].close();
  }

  private void heard(String event) {
    told.add(event);
    if (event.startsWith(breaksAt)) {
      throw new IllegalStateException("a defect");
    }
  }

  private final class Log implements FunctionLog {
    @Override
    public void printed(boolean stderr, ByteBuf text) {
      String printed = text.toString(UTF_8);
      if (printed.equals(BROKEN)) {
        throw new IllegalStateException("a log that fails");
      }
      told.add((stderr ? "function stderr " : "function ") + printed);
    }

    @Override
    public void ended() {
      heard("function ended");
    }
  }

  private final class Events implements RunnerEvents {
    @Override
    public void loading(Runner runner) {
      told.add("loading");
    }

    @Override
    public void ready(Runner runner) {
      told.add("ready");
    }

    @Override
    public void timedOut(Runner runner) {
      heard("timed out");
    }

    @Override
    public void ending(Runner runner) {
      heard("ending");
    }

    @Override
    public void lost(Runner runner, RunnerLoss why, List<RunnerCall> pending) {
      heard("lost " + why + " " + pending);
    }
  }
}
