package io.easyfaas.controller.runtime;

import io.easyfaas.common.http.OwnedBytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/// The buffers that one runner's bytes are read into: the loop's own, so that reading takes no
/// memory; another one only while somebody still holds that.
///
/// Netty shuts a connection whose buffer cannot be had for an {@link OutOfMemoryError}; a runner
/// must not be lost for what is the engine's trouble. So the failure is {@link OutOfMemory}: the
/// bytes stay in the kernel and are read later.
final class FrameBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
  /// There is no memory to read into at the moment.
  static final class OutOfMemory extends RuntimeException {
    OutOfMemory(OutOfMemoryError cause) {
      super(cause.getMessage(), cause, false, false);
    }
  }

  private final ByteBuf own;

  /// @param own the loop's buffer
  FrameBuffers(ByteBuf own) {
    this.own = own;
  }

  @Override
  public ExtendedHandle newHandle() {
    return new MaxMessageHandle() {
      @Override
      public int guess() {
        return OwnedBytes.READ_BYTES;
      }

      @Override
      public ByteBuf allocate(ByteBufAllocator allocator) {
        if (own.refCnt() == 1) {
          return own.clear().retain();
        }
        try {
          return allocator.directBuffer(OwnedBytes.READ_BYTES);
        } catch (OutOfMemoryError e) {
          throw new OutOfMemory(e);
        }
      }
    };
  }
}
