package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WaitingBytesTest {
  private static final int SIZE = 64 * 1024;

  private final ByteBudget budget = new ByteBudget(1024 * 1024);
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final WaitingBytes waiting =
      new WaitingBytes(new ReadGate(channel), budget.open(ByteKind.HEAD, ""));

  @AfterEach
  void close() {
    waiting.drop();
    channel.finishAndReleaseAll();
    assertThat(budget.usage().reserved()).isZero();
  }

  @Test
  void aLittleThatIsLeftDoesNotKeepABufferThatNobodyAnswersFor() {
    ByteBuf before = useAllBut(1000);

    assertThat(before.refCnt()).isZero();
    assertThat(budget.usage().reserved()).isZero();
    ByteBuf left = Objects.requireNonNull(waiting.take());
    assertThat(left.readableBytes()).isEqualTo(1000);
    left.release();
  }

  @Test
  void muchThatIsLeftAnswersForTheWholeBufferThatItKeeps() {
    ByteBuf before = useAllBut(SIZE / 2);

    assertThat(before.refCnt()).isEqualTo(1);
    assertThat(budget.usage().reserved()).isEqualTo(SIZE);
  }

  private ByteBuf useAllBut(int left) {
    ByteBuf read = PooledByteBufAllocator.DEFAULT.directBuffer(SIZE).writeZero(SIZE);
    waiting.add(PooledByteBufAllocator.DEFAULT, read);
    read.release();
    assertThat(waiting.reserve()).isTrue();
    ByteBuf taken = Objects.requireNonNull(waiting.take());
    taken.skipBytes(SIZE - left);
    waiting.add(PooledByteBufAllocator.DEFAULT, taken);
    taken.release();
    waiting.used();
    return taken;
  }
}
