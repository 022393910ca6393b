package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The engine's own trouble is not the runner's.
class FrameInputTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final Scarce memory = new Scarce();
  private final List<String> told = new ArrayList<>();
  private long now;
  private final PrintBudget budget =
      new PrintBudget(channel.eventLoop(), () -> now, new PrintShare());
  private final ByteBudget bytes = new ByteBudget(1_000_000);
  private final FrameInput input = new FrameInput("c0", channel, budget, bytes, new Owner());
  private final List<ByteBuf> kept = new ArrayList<>();
  private boolean isAwaited = true;
  private boolean keeps;

  @BeforeEach
  void open() {
    channel.freezeTime();
    channel.config().setAllocator(memory);
    channel.pipeline().addLast(input);
    input.belongsTo("owner");
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
    input.close();
    kept.forEach(ByteBuf::release);
    assertThat(bytes.usage().reserved()).isZero();
    assertThat(memory.given).allMatch(buffer -> buffer.refCnt() == 0);
  }

  @Test
  void aFrameThereIsNoMemoryForComesWhenThereIs() {
    ByteBuf bytes = frame("x".repeat(100_000));
    ByteBuf first = bytes.readRetainedSlice(70_000);
    memory.isOut = true;
    channel.writeInbound(first);
    assertThat(channel.config().isAutoRead()).isFalse();
    assertThat(told).isEmpty();

    pass();
    assertThat(channel.config().isAutoRead()).as("there is still none").isFalse();
    memory.isOut = false;
    pass();

    assertThat(channel.config().isAutoRead()).isTrue();
    channel.writeInbound(bytes);
    assertThat(told).containsExactly("frame 100000");
  }

  @Test
  void memoryThatEndsInTheMiddleOfAFrameLosesNothing() {
    ByteBuf bytes = frame("x".repeat(300_000));
    channel.writeInbound(bytes.readRetainedSlice(65_000));
    memory.isOut = true;
    channel.writeInbound(bytes.readRetainedSlice(100_000));
    assertThat(channel.config().isAutoRead()).isFalse();

    memory.isOut = false;
    pass();
    channel.writeInbound(bytes);

    assertThat(told).containsExactly("frame 300000");
  }

  @Test
  void noMemoryToReadIntoIsNoEnd() {
    channel
        .pipeline()
        .fireExceptionCaught(new FrameBuffers.OutOfMemory(new OutOfMemoryError("direct")));

    assertThat(channel.config().isAutoRead()).isFalse();
    pass();
    assertThat(channel.config().isAutoRead()).isTrue();
    assertThat(told).isEmpty();
  }

  @Test
  void onlyTheConnectionsOwnFailureIsItsEnd() {
    channel.pipeline().fireExceptionCaught(new IllegalStateException("a defect"));
    channel.pipeline().fireExceptionCaught(new OutOfMemoryError("direct"));
    assertThat(told).isEmpty();

    channel.pipeline().fireExceptionCaught(new IOException("Connection reset by peer"));

    assertThat(told).containsExactly("ended Connection reset by peer");
  }

  @Test
  void aFrameThatCannotBeHandledIsTheOnlyOne() {
    channel.writeInbound(Unpooled.wrappedBuffer(frame("fail"), frame("y")));

    assertThat(told).containsExactly("frame 4", "frame 1");
  }

  @Test
  void aLargeFrameIsReservedBeforeItIsCollectedAndUntilItsPayloadIsReleased() {
    ByteBuf frame = frame("x".repeat(300_000));
    keeps = true;

    channel.writeInbound(frame.readRetainedSlice(60_000));
    assertThat(bytes.usage().reserved()).as("for a little of it").isZero();
    channel.writeInbound(frame.readRetainedSlice(60_000));
    assertThat(bytes.usage().reserved()).isEqualTo(300_000);
    assertThat(bytes.usage().of(ByteKind.ANSWER).bytes()).isEqualTo(300_000);
    channel.writeInbound(frame);

    assertThat(told).containsExactly("frame 300000");
    assertThat(OwnedBytes.isOwned(kept.getFirst())).isTrue();
    assertThat(bytes.usage().reserved()).isEqualTo(300_000);
    kept.removeFirst().release();
    assertThat(bytes.usage().reserved()).isZero();
  }

  @Test
  void aRunnerIsNotReadWhileItsFrameWaitsForRoom() {
    Reservation others = fill();
    ByteBuf frame = frame("x".repeat(300_000));
    channel.writeInbound(frame.readRetainedSlice(100_000));
    assertThat(channel.config().isAutoRead()).isFalse();
    assertThat(input.isHeldUp()).isTrue();
    pass();
    assertThat(channel.config().isAutoRead()).isFalse();

    others.close();
    channel.runPendingTasks();

    assertThat(channel.config().isAutoRead()).isTrue();
    assertThat(input.isHeldUp()).as("the rest of it").isTrue();
    channel.writeInbound(frame);
    assertThat(told).containsExactly("frame 300000");
    assertThat(input.isHeldUp()).isFalse();
  }

  @Test
  void whatComesInSpiteOfThatIsNotMixedUp() {
    Reservation others = fill();
    ByteBuf frame = frame("x".repeat(300_000));
    channel.writeInbound(frame.readRetainedSlice(100_000));
    channel.writeInbound(frame);

    others.close();
    channel.runPendingTasks();

    assertThat(told).containsExactly("frame 300000");
  }

  @Test
  void aFrameThatGetsNoRoomInTimeIsDroppedAndTheNextIsRead() {
    Reservation others = fill();
    ByteBuf frames = Unpooled.wrappedBuffer(frame("x".repeat(300_000)), frame("y"));
    channel.writeInbound(frames.readRetainedSlice(100_000));

    channel.advanceTimeBy(FrameRoom.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();

    assertThat(told).hasSize(1);
    assertThat(told.getFirst())
        .startsWith("refused 300000: memory for requests and answers: 300000 bytes more");
    assertThat(bytes.usage().of(ByteKind.ANSWER).refused()).isOne();
    assertThat(channel.config().isAutoRead()).isTrue();
    channel.writeInbound(frames);
    assertThat(told).hasSize(2).endsWith("frame 1");
    others.close();
  }

  @Test
  void aLargeAnswerThatNobodyWaitsForTakesNoRoom() {
    isAwaited = false;
    channel.writeInbound(Unpooled.wrappedBuffer(frame("x".repeat(300_000)), frame("y")));
    assertThat(told).as("in one go").containsExactly("frame 300000", "frame 1");
    told.clear();

    ByteBuf frames = Unpooled.wrappedBuffer(frame("x".repeat(300_000)), frame("y"));
    channel.writeInbound(frames.readRetainedSlice(100_000));
    assertThat(bytes.usage().reserved()).isZero();
    channel.writeInbound(frames);

    assertThat(told).containsExactly("refused 300000: nobody waits for the answer", "frame 1");
  }

  @Test
  void roomThatComesWhenNobodyWaitsForTheAnswerAnyMoreIsGivenBack() {
    Reservation others = fill();
    ByteBuf frames =
        Unpooled.wrappedBuffer(frame("x".repeat(300_000)), frame("y"), frame("z".repeat(400_000)));
    channel.writeInbound(frames.readRetainedSlice(100_000));
    isAwaited = false;

    others.close();
    channel.runPendingTasks();
    assertThat(bytes.usage().reserved()).isZero();

    isAwaited = true;
    channel.writeInbound(frames.readRetainedSlice(300_000));
    assertThat(bytes.usage().reserved()).as("of the next one").isEqualTo(400_000);
    channel.writeInbound(frames);
    assertThat(told)
        .containsExactly("refused 300000: nobody waits for the answer", "frame 1", "frame 400000");
  }

  @Test
  void aRunnerThatEndsWhileItsFrameWaitsWantsNoRoom() {
    Reservation others = fill();
    channel.writeInbound(frame("x".repeat(300_000)).readRetainedSlice(100_000));
    assertThat(bytes.usage().of(ByteKind.ANSWER).waiting()).isOne();

    input.close();

    assertThat(bytes.usage().of(ByteKind.ANSWER).waiting()).isZero();
    others.close();
    channel.runPendingTasks();
    assertThat(told).isEmpty();
  }

  @Test
  void aPartIsNoLongerThanTheCreditOfItsRunner() {
    byte[] payload = new byte[FrameType.FIRST_CREDIT_BYTES + 1];
    ByteBuf part = Unpooled.wrappedBuffer(RunnerHarness.frame(FrameType.CHUNK, 0, 1, payload));

    channel.writeInbound(part.readRetainedSlice(100_000));

    assertThat(told).containsExactly("broke CHUNK of 262145 bytes");
    part.release();
  }

  @Test
  void aPartThatNobodyWaitsForCostsNoMemory() {
    isAwaited = false;
    byte[] payload = new byte[100_000];
    ByteBuf part = Unpooled.wrappedBuffer(RunnerHarness.frame(FrameType.CHUNK, 0, 1, payload));

    channel.writeInbound(part.readRetainedSlice(70_000));
    channel.writeInbound(part, frame("y"));

    assertThat(told).containsExactly("frame 1");
    assertThat(memory.given).noneMatch(buffer -> buffer.capacity() >= payload.length);
  }

  @Test
  void onlyWhatSaysMuchMayBeLarge() {
    byte[] payload = new byte[FrameReader.FIRST_BYTES + 1];
    ByteBuf pong = Unpooled.wrappedBuffer(RunnerHarness.frame(FrameType.PONG, 0, 1, payload));

    channel.writeInbound(pong.readRetainedSlice(FrameReader.FIRST_BYTES));
    channel.writeInbound(pong);

    assertThat(told).containsExactly("broke frame of type 11 of 65537 bytes");
    assertThat(bytes.usage().reserved()).isZero();
  }

  @Test
  void whatWaitsForRoomDoesNotKeepTheBufferItWasReadInto() {
    Reservation others = fill();
    ByteBuf read = frame("x".repeat(300_000)).readSlice(100_000);

    channel.writeInbound(read);

    assertThat(read.refCnt()).isZero();
    others.close();
  }

  @Test
  void theGraceOfOneFrameIsNotCutShortByAnOlderOnes() {
    for (int i = 0; i < 2; i++) {
      Reservation others = fill();
      ByteBuf frame = frame("x".repeat(300_000));
      channel.writeInbound(frame.readRetainedSlice(100_000));
      others.close();
      channel.runPendingTasks();
      assertThat(input.isHeldUp()).as("frame %d is coming", i).isTrue();
      if (i == 0) {
        channel.writeInbound(frame);
        channel.advanceTimeBy(FrameRoom.PATIENCE_NANOS - 1, TimeUnit.NANOSECONDS);
      } else {
        frame.release();
      }
    }

    channel.advanceTimeBy(1, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();

    assertThat(input.isHeldUp()).isTrue();
  }

  private Reservation fill() {
    Reservation others = bytes.open(ByteKind.BODY, "others");
    others.add(1_000_000);
    return others;
  }

  private void pass() {
    now += PrintBudget.WINDOW_NANOS;
    channel.advanceTimeBy(PrintBudget.WINDOW_NANOS, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
  }

  private static ByteBuf frame(String payload) {
    return Unpooled.wrappedBuffer(
        RunnerHarness.frame(FrameType.RESULT, 0, 1, payload.getBytes(UTF_8)));
  }

  private final class Owner implements FrameInput.Owner {
    @Override
    public void heard() {}

    @Override
    public boolean frame(byte type, byte flags, int id, ByteBuf payload) {
      told.add("frame " + payload.readableBytes());
      if (keeps) {
        kept.add(payload.retain());
      }
      if (payload.readableBytes() == 4) {
        throw new IllegalStateException("a defect");
      }
      return true;
    }

    @Override
    public boolean isAwaited(int id) {
      return isAwaited;
    }

    @Override
    public boolean takesChunk(byte flags, int id, int length) throws ProtocolException {
      if (length > FrameType.FIRST_CREDIT_BYTES) {
        throw new ProtocolException("CHUNK of " + length + " bytes");
      }
      return isAwaited;
    }

    @Override
    public void refused(byte type, byte flags, int id, int length, String why) {
      told.add("refused " + length + ": " + why);
    }

    @Override
    public void readAll() {}

    @Override
    public void brokeProtocol(String how) {
      told.add("broke " + how);
    }

    @Override
    public void ended(String how, boolean isReset) {
      told.add("ended " + how);
    }
  }

  /// Memory that can be used up.
  private static final class Scarce extends AbstractByteBufAllocator {
    final List<ByteBuf> given = new ArrayList<>();
    boolean isOut;

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      if (isOut) {
        throw new OutOfMemoryError("direct memory");
      }
      // A buffer of the heap whose growth asks, too.
      ByteBuf made =
          new io.netty.buffer.UnpooledHeapByteBuf(this, initialCapacity, maxCapacity) {
            @Override
            protected byte[] allocateArray(int capacity) {
              if (isOut) {
                throw new OutOfMemoryError("direct memory");
              }
              return super.allocateArray(capacity);
            }
          };
      given.add(made);
      return made;
    }

    @Override
    public CompositeByteBuf compositeDirectBuffer(int components) {
      return UnpooledByteBufAllocator.DEFAULT.compositeDirectBuffer(components);
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }
}
