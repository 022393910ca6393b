package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.LoadRequest;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.HandedOver;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.FileDescriptor;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Our end of the protocol against the real Node.js runner, without a sandbox.
class NodeRunnerTest {
  private static final Path RUNNER =
      Path.of("../runner-runtime/node/runner.js").toAbsolutePath().normalize();
  private static final Duration WAIT = Duration.ofSeconds(20);

  /// What the launcher does before it executes a runner.
  private static final String KEEPER =
      """
      import os, socket, sys
      address, token, *command = sys.argv[1:]
      connection = socket.socket(socket.AF_UNIX)
      connection.connect(address)
      reader, writer = os.pipe()
      os.set_blocking(reader, False)
      socket.send_fds(connection, [bytes(1)], [reader])
      connection.sendall(b"EFCH" + bytes([1, 1, 0, 0]) + bytes.fromhex(token))
      for end, number in [(connection.fileno(), 3), (writer, 1), (writer, 2)]:
          os.dup2(end, number)
          os.set_inheritable(number, True)
      os.execv(command[0], command)
      """;

  @TempDir private static Path run;

  private final EventLoops loops = new EventLoops(1);
  private final SlotChannels channels =
      SlotChannels.listen(run, new FlushQueues(loops), System::nanoTime, System::currentTimeMillis);
  private final SlotChannel channel = channels.of("c0");
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private volatile @Nullable Call firstCall;
  private volatile boolean readied;
  private final List<Process> processes = new ArrayList<>();
  private Path directory = Path.of("/");

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory(Path.of("/tmp"), "easyfaas-node");
    assumeTrue(Files.exists(RUNNER), "needs " + RUNNER);
    assumeTrue(Files.exists(Path.of("/usr/bin/node")), "needs /usr/bin/node");
  }

  @AfterEach
  void stop() throws Exception {
    channel.close();
    channels.close();
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
    loops.close();
    Files.deleteIfExists(directory.resolve("index.js"));
    Files.delete(directory);
  }

  @Test
  void callsAreAnsweredAndTheirLogsAreTheirs() throws Exception {
    RunnerConnection runner =
        load("exports.handler = async (e, c) => { console.log(c.awsRequestId); return e; };");

    runner.invoke(new Call("R1", "{\"a\":1}"));

    assertThat(next()).isEqualTo("R1 logged R1\n");
    assertThat(next()).isEqualTo("R1 answered {\"a\":1}");
  }

  @Test
  void theFirstCallFollowsReadyWithoutWaitingForWhoLoaded() throws Exception {
    firstCall = new Call("R1", "{\"a\":1}");

    load("exports.handler = async (e) => e;");

    assertThat(next()).isEqualTo("R1 answered {\"a\":1}");
  }

  @Test
  void eventsLargerThanASocketBufferPass() throws Exception {
    RunnerConnection runner = load("exports.handler = async (e) => e.length;");

    runner.invoke(new Call("R1", "\"" + "x".repeat(6_000_000) + "\""));

    assertThat(next()).isEqualTo("R1 answered 6000000");
  }

  @Test
  void cancelledCallSeesItsSignal() throws Exception {
    RunnerConnection runner =
        load(
            "exports.handler = (e, c) => new Promise((done) => {"
                + " console.log('started');"
                + " c.signal.addEventListener('abort', () => done('aborted')); });");
    Call call = new Call("R1", "{}");
    runner.invoke(call);
    assertThat(next()).isEqualTo("R1 logged started\n");

    runner.cancel(call);

    assertThat(next()).isEqualTo("R1 answered aborted");
  }

  @Test
  void killedProcessIsLostWithItsCalls() throws Exception {
    RunnerConnection runner = load("exports.handler = () => { process.kill(process.pid, 9); };");

    runner.invoke(new Call("R1", "{}"));

    assertThat(next()).isEqualTo("lost EXITED [R1]");
  }

  @Test
  void brokenModuleIsALoadFailure() throws Exception {
    assertThat(tryLoad("exports.handler = ("))
        .isInstanceOfSatisfying(
            LoadOutcome.Failed.class,
            failed ->
                assertThat(new String(failed.error(), UTF_8))
                    .contains("Runtime.UserCodeSyntaxError"));
  }

  @Test
  void processKilledWhileLoadingIsSeen() throws Exception {
    assertThat(tryLoad("process.kill(process.pid, 9); while (true);"))
        .isEqualTo(new LoadOutcome.Ended(List.of()));
  }

  @Test
  void aHelloNobodyWaitsForAnyMoreEndsTheConnectionAndNothingIsLoaded() throws Exception {
    FileDescriptor[] pipe = FileDescriptor.pipe();
    try (HandedOver late = HandedOver.runner(channel.offer().orElseThrow(), pipe[0])) {
      RunnerConnection runner = channel.awaitRunner(WAIT);
      assertThatThrownBy(() -> load(runner, Duration.ZERO))
          .isInstanceOf(RunnerException.class)
          .hasMessageEndingWith("no HELLO in 0ms");

      byte[] hello = "{\"protocol\":2}".getBytes(UTF_8);
      ByteBuffer frames = ByteBuffer.allocate(24 + hello.length);
      frames.putInt(8 + hello.length).put(FrameType.HELLO).put(new byte[3]).putInt(0).put(hello);
      frames.putInt(8).put(FrameType.READY).put(new byte[3]).putInt(0);
      late.write(frames.flip());

      assertThat(late.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThat(readied).isFalse();
      assertThat(events).isEmpty();
    } finally {
      pipe[0].close();
      pipe[1].close();
    }
  }

  private RunnerConnection load(String code) throws Exception {
    RunnerConnection runner = connect(code);
    assertThat(load(runner)).isEqualTo(new LoadOutcome.Ready());
    return runner;
  }

  private LoadOutcome tryLoad(String code) throws Exception {
    return load(connect(code));
  }

  private RunnerConnection connect(String code) throws Exception {
    Files.writeString(directory.resolve("index.js"), code);
    ChannelAddress address = channel.offer().orElseThrow();
    processes.add(
        new ProcessBuilder(
                "/usr/bin/python3",
                "-c",
                KEEPER,
                address.socket(),
                address.token(),
                "/usr/bin/node",
                RUNNER.toString())
            .start());
    return channel.awaitRunner(WAIT);
  }

  private LoadOutcome load(RunnerConnection runner) {
    return load(runner, WAIT);
  }

  private LoadOutcome load(RunnerConnection runner, Duration helloWait) {
    LoadRequest request =
        new LoadRequest(
            "brn:f", "f", "1", "index.handler", directory.toString(), 128, 60, 4, Map.of());
    return runner.load(
        new LoadedFunction("owner", Json.CAMEL.write(request), Duration.ofSeconds(60), new Log()),
        helloWait,
        WAIT,
        new RunnerEvents() {
          @Override
          public void loading(Runner runner) {}

          @Override
          public void ready(Runner ready) {
            readied = true;
            Call first = firstCall;
            if (first != null) {
              ready.invoke(first);
            }
          }

          @Override
          public void timedOut(Runner late) {
            events.add("timed out");
          }

          @Override
          public void ending(Runner last) {
            events.add("ending");
          }

          @Override
          public void lost(Runner gone, RunnerLoss why, List<RunnerCall> pending) {
            events.add("lost " + why + " " + pending);
          }
        });
  }

  private String next() throws InterruptedException {
    String event = events.poll(WAIT.toSeconds(), TimeUnit.SECONDS);
    if (event == null) {
      throw new AssertionError("nothing in " + WAIT);
    }
    return event;
  }

  private final class Log implements FunctionLog {
    @Override
    public void printed(boolean stderr, ByteBuf text) {
      events.add("logged " + text.toString(UTF_8));
    }

    @Override
    public void ended() {}
  }

  private final class Call implements RunnerCall {
    private final String id;
    private final String event;

    Call(String id, String event) {
      this.id = id;
      this.event = event;
    }

    @Override
    public byte[] requestId() {
      return id.getBytes(US_ASCII);
    }

    @Override
    public ByteBuf takeEvent() {
      return Unpooled.copiedBuffer(event, UTF_8);
    }

    @Override
    public void logged(boolean stderr, ByteBuf text) {
      events.add(id + " logged " + text.toString(UTF_8));
    }

    @Override
    public void answered(boolean failed, ByteBuf payload) {
      events.add(id + (failed ? " failed " : " answered ") + payload.toString(UTF_8));
    }

    @Override
    public void failed(Throwable cause) {
      events.add(id + " failed in the engine");
    }

    @Override
    public boolean isAbandoned() {
      return false;
    }

    @Override
    public void timedOut() {
      events.add(id + " timed out");
    }

    @Override
    public void lost(Optional<RunnerExit> exit) {
      events.add(id + " lost");
    }

    @Override
    public String toString() {
      return id;
    }
  }
}
