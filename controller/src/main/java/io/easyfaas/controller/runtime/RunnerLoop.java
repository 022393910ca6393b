package io.easyfaas.controller.runtime;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.OwnedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import java.util.function.LongSupplier;

/// What the runners of one event loop share. The buffers are confined to the loop.
///
/// The buffers are there from the start: what runners say is read, and small answers get on, also
/// when there is no memory for anything else.
final class RunnerLoop {
  final IoEventLoop loop;
  final FlushQueue flushes;
  final ByteBudget bytes;
  final LongSupplier nanoTime;
  final LongSupplier epochMillis;
  final PrintShare printing = new PrintShare();
  final ByteBuf frames = readBuffer();
  final ByteBuf output = readBuffer();

  /// @param bytes the account of what is on its way
  /// @param nanoTime usually {@link System#nanoTime()}
  /// @param epochMillis usually {@link System#currentTimeMillis()}
  RunnerLoop(
      IoEventLoop loop,
      FlushQueue flushes,
      ByteBudget bytes,
      LongSupplier nanoTime,
      LongSupplier epochMillis) {
    this.loop = loop;
    this.flushes = flushes;
    this.bytes = bytes;
    this.nanoTime = nanoTime;
    this.epochMillis = epochMillis;
  }

  /// Gives the buffers back. On the loop, when nothing is read any more.
  void close() {
    frames.release();
    output.release();
  }

  private static ByteBuf readBuffer() {
    int size = OwnedBytes.READ_BYTES;
    return UnpooledByteBufAllocator.DEFAULT.directBuffer(size, size);
  }
}
