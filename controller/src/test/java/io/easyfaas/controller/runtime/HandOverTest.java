package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.controller.HandedOver;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who may hand a channel over, and how often.
class HandOverTest {
  @TempDir private Path directory;
  private RunnerHarness harness;

  @BeforeEach
  void start() throws IOException {
    harness = new RunnerHarness(directory.resolve("channels"));
  }

  @AfterEach
  void stop() throws IOException {
    harness.close();
  }

  @Test
  void nobodyElseCanReachTheSocket() throws IOException {
    Path socket = Path.of(harness.channel.offer().orElseThrow().socket());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
        .isEqualTo("rwx------");
  }

  @Test
  void tokensAreNeverTheSameAndNeverTold() {
    ChannelAddress first = harness.channel.offer().orElseThrow();
    harness.channel.end();
    ChannelAddress second = harness.channel.offer().orElseThrow();

    assertThat(second.token()).isNotEqualTo(first.token());
    assertThat(first.toString()).doesNotContain(first.token());
  }

  @Test
  void aGenerationExpectsOneRunner() throws IOException {
    assertThat(harness.channel.offer()).isPresent();
    assertThat(harness.channel.offer()).isEmpty();
  }

  @Test
  void aTokenIsGoodOnce() throws Exception {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    RunnerHarness.Ends first = harness.handOver(address);
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);

    RunnerHarness.Ends again = harness.handOver(address);

    assertRefused(again.frames());
    first.hello();
    runner.awaitHello(RunnerHarness.WAIT);
  }

  @Test
  void aTokenThatComesTooLateIsRefused() throws IOException {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    harness.channel.end();

    assertRefused(harness.handOver(address).frames());
  }

  @Test
  void aTokenOfNobodyIsRefused() throws IOException {
    ChannelAddress address = harness.channel.offer().orElseThrow();

    assertRefused(
        harness.handOver(new ChannelAddress(address.socket(), "00".repeat(16), 0)).frames());
  }

  @Test
  void aListenerThatNobodyExpectsIsRefused() throws IOException {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    HandedOver connection = HandedOver.connect(Path.of(address.socket()));
    connection.send(harness.output());
    connection.write(HandedOver.greeting(HandedOver.LISTENER, address.token()));

    assertRefused(connection);
    assertThat(harness.handOver(address).frames()).isNotNull();
    harness.channel.awaitRunner(RunnerHarness.WAIT);
  }

  @Test
  void anotherMagicVersionOrKindIsRefused() throws IOException {
    for (int at : new int[] {0, 3, 4, 5}) {
      ChannelAddress address = harness.channel.offer().orElseThrow();
      HandedOver connection = HandedOver.connect(Path.of(address.socket()));
      connection.send(harness.output());
      ByteBuffer greeting = HandedOver.greeting(HandedOver.RUNNER, address.token());
      connection.write(greeting.put(at, (byte) 99));

      assertRefused(connection);
      harness.channel.end();
    }
  }

  @Test
  void aGreetingThatComesInPiecesIsOne() throws Exception {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    HandedOver connection = HandedOver.connect(Path.of(address.socket()));
    connection.send(harness.output());
    ByteBuffer greeting = HandedOver.greeting(HandedOver.RUNNER, address.token());
    for (int i = 0; i < 24; i++) {
      connection.write(greeting.slice(i, 1));
      harness.settle();
    }

    assertThat(harness.channel.awaitRunner(RunnerHarness.WAIT)).isNotNull();
  }

  @Test
  void whatFollowsTheGreetingIsTheRunners() throws Exception {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    HandedOver connection = HandedOver.connect(Path.of(address.socket()));
    connection.send(harness.output());
    ByteBuffer hello =
        RunnerHarness.frame(FrameType.HELLO, 0, 0, RunnerHarness.HELLO.getBytes(UTF_8));
    ByteBuffer both = ByteBuffer.allocate(24 + hello.remaining());
    both.put(HandedOver.greeting(HandedOver.RUNNER, address.token())).put(hello);
    connection.write(both.flip());

    harness.channel.awaitRunner(RunnerHarness.WAIT).awaitHello(RunnerHarness.WAIT);
  }

  @Test
  void whoSaysNothingIsClosedAfterAWhile() throws IOException {
    try (ChannelListener impatient = listener(Set.of(uid()), Duration.ofMillis(50));
        HandedOver silent = HandedOver.connect(impatient.socket())) {
      assertRefused(silent);
    }
  }

  @Test
  void onlySoManyMayBeSilentAtOnce() throws IOException {
    Path socket = Path.of(harness.channel.offer().orElseThrow().socket());
    List<HandedOver> silent = new ArrayList<>();
    for (int i = 0; i < ChannelListener.SPARE_UNGREETED + 1; i++) {
      silent.add(HandedOver.connect(socket));
    }
    harness.settle();

    assertRefused(HandedOver.connect(socket));
    silent.getFirst().close();
    TestWait.until(
        "there is room again",
        () -> {
          harness.channel.end();
          try (HandedOver next = harness.handOver(harness.channel.offer().orElseThrow()).frames()) {
            harness.channel.awaitRunner(Duration.ofMillis(200));
            return next != null;
          } catch (IOException | RunnerException _) {
            return false;
          }
        });
    silent.forEach(HandedOver::close);
  }

  @Test
  void asManyMayBeOnTheirWayAsAreExpected() throws IOException {
    List<SlotChannel> others = new ArrayList<>();
    List<HandedOver> onTheirWay = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      SlotChannel other = harness.channels.of("other" + i);
      others.add(other);
      onTheirWay.add(HandedOver.connect(Path.of(other.offer().orElseThrow().socket())));
    }
    harness.settle();

    try (HandedOver one = harness.start().frames()) {
      assertThat(harness.channel.awaitRunner(RunnerHarness.WAIT)).isNotNull();
      assertThat(one).isNotNull();
    }

    onTheirWay.forEach(HandedOver::close);
    others.forEach(SlotChannel::close);
  }

  @Test
  void anotherUserIsRefused() throws IOException {
    try (ChannelListener strict = listener(Set.of(4711), Duration.ofSeconds(5));
        HandedOver own = HandedOver.connect(strict.socket())) {
      assertRefused(own);
    }
  }

  @Test
  void handOversLeaveNoDescriptor() throws Exception {
    for (int i = 0; i < 20; i++) {
      once(i);
    }
    harness.settle();
    int before = descriptors();

    for (int i = 0; i < 200; i++) {
      once(i);
    }

    TestWait.until(
        "all are closed",
        () -> {
          harness.settle();
          return descriptors() <= before;
        });
  }

  private void once(int turn) throws Exception {
    ChannelAddress address = harness.channel.offer().orElseThrow();
    RunnerHarness.Ends ends = harness.handOver(address);
    if (turn % 2 == 0) {
      harness.channel.awaitRunner(RunnerHarness.WAIT);
    }
    harness.channel.end();
    ends.frames().close();
    ends.output().close();
  }

  private ChannelListener listener(Set<Integer> users, Duration patience) {
    IoEventLoop loop = (IoEventLoop) new EventLoops(1).group().next();
    RunnerLoop shared =
        new RunnerLoop(
            loop,
            new FlushQueue(loop),
            new ByteBudget(1 << 20),
            System::nanoTime,
            System::currentTimeMillis);
    return new ChannelListener(shared, directory.resolve("other.sock"), users, patience);
  }

  private int uid() throws IOException {
    return (Integer) Files.getAttribute(directory, "unix:uid");
  }

  private static int descriptors() {
    return Objects.requireNonNull(Path.of("/proc/self/fd").toFile().list()).length;
  }

  private static void assertRefused(HandedOver connection) {
    assertThatThrownBy(
            () -> {
              if (connection.read(ByteBuffer.allocate(1)) < 0) {
                throw new IOException("closed");
              }
            })
        .isInstanceOf(IOException.class)
        .hasMessage("closed");
  }
}
