package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OwnedBytesTest {
  private static final PooledByteBufAllocator ALLOCATOR = PooledByteBufAllocator.DEFAULT;

  private final ByteBudget budget = new ByteBudget(1024 * 1024);

  @AfterEach
  void nothingIsLeft() {
    assertThat(budget.usage().reserved()).isZero();
  }

  @Test
  void aBufferDoesNotGrowBeyondWhatIsReserved() {
    ByteBuf bytes = OwnedBytes.empty(ALLOCATOR, budget.open(ByteKind.ANSWER, "a"), 10);
    bytes.writeBytes(new byte[10]);

    assertThatThrownBy(() -> bytes.writeByte(1)).isInstanceOf(IndexOutOfBoundsException.class);
    bytes.release();
  }

  /// As it was read: a part of a larger buffer.
  @ParameterizedTest
  @CsvSource({"100, false, 0", "8192, false, 0", "9000, false, 9000", "40000, true, 40000"})
  void whatIsKeptIsAnsweredForAndLittleOfItKeepsNoReadBuffer(
      int size, boolean keepsTheBuffer, int reserved) {
    ByteBuf read = ALLOCATOR.directBuffer(OwnedBytes.READ_BYTES).writeZero(OwnedBytes.READ_BYTES);

    ByteBuf kept = keep(read.slice(100, size));

    assertThat(kept.readableBytes()).isEqualTo(size);
    assertThat(read.refCnt() > 1).isEqualTo(keepsTheBuffer);
    assertThat(budget.usage().reserved()).isEqualTo(reserved);
    kept.release();
    assertThat(read.refCnt()).isEqualTo(1);
    read.release();
  }

  @Test
  void whatHasAnOwnerIsKeptAsItIs() {
    ByteBuf owned = OwnedBytes.empty(ALLOCATOR, budget.open(ByteKind.ANSWER, "a"), 20_000);
    owned.writeZero(20_000);

    ByteBuf kept = keep(owned.slice(0, 10_000));

    assertThat(budget.usage().reserved()).as("not counted twice").isZero();
    owned.release();
    assertThat(kept.isReadable()).isTrue();
    kept.release();
  }

  @Test
  void nothingIsKeptOfNothing() {
    ByteBuf read = ALLOCATOR.directBuffer(OwnedBytes.READ_BYTES);

    assertThat(keep(read)).isSameAs(Unpooled.EMPTY_BUFFER);
    read.release();
  }

  private ByteBuf keep(ByteBuf bytes) {
    return OwnedBytes.keep(ALLOCATOR, bytes, budget, "a");
  }
}
