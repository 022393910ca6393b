package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

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
  private final PrintBudget budget = new PrintBudget(channel.eventLoop(), () -> now);

  @BeforeEach
  void open() {
    channel.freezeTime();
    channel.config().setAllocator(memory);
    channel.pipeline().addLast(new FrameInput("c0", channel, budget, new Owner()));
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
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
      if (payload.readableBytes() == 4) {
        throw new IllegalStateException("a defect");
      }
      return true;
    }

    @Override
    public void readAll() {}

    @Override
    public void brokeProtocol(String how) {
      told.add("broke " + how);
    }

    @Override
    public void ended(String how) {
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
