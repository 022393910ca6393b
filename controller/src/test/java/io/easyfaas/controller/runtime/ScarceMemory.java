package io.easyfaas.controller.runtime;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.util.ArrayList;
import java.util.List;

/// Memory that can be used up.
final class ScarceMemory extends AbstractByteBufAllocator {
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
        new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity) {
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
