package io.easyfaas.httptrigger.event;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import java.io.InputStream;

/// Reads a body and gives back what has been read of it, as far as it is in pieces. Not
/// thread-safe.
final class BodyBytes extends InputStream {
  private static final int WORTH_IT_BYTES = 64 * 1024;

  private final ByteBuf body;

  /// @param body has one owner, who releases it; it is empty afterwards
  BodyBytes(ByteBuf body) {
    this.body = body;
  }

  @Override
  public int read() {
    return body.isReadable() ? body.readUnsignedByte() : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    if (!body.isReadable()) {
      return -1;
    }
    int size = Math.min(length, body.readableBytes());
    body.readBytes(target, offset, size);
    if (body instanceof CompositeByteBuf pieces && pieces.readerIndex() >= WORTH_IT_BYTES) {
      pieces.discardReadComponents();
    }
    return size;
  }
}
