package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/// The message on a connection's pipeline for a whole answer that is encoded already, head and
/// body.
///
/// Each connection has one and uses it again: the encoder takes the bytes out before the write
/// returns. Confined to the connection's event loop.
final class WholeAnswer {
  private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
  private Persistence persistence = Persistence.KEEP;

  /// Makes it the next answer's.
  ///
  /// @param after what the head says about the connection
  WholeAnswer of(ByteBuf encoded, Persistence after) {
    bytes = encoded;
    persistence = after;
    return this;
  }

  ByteBuf take() {
    ByteBuf encoded = bytes;
    bytes = Unpooled.EMPTY_BUFFER;
    return encoded;
  }

  Persistence persistence() {
    return persistence;
  }
}
