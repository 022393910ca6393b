package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.function.Consumer;

/// Puts characters of a byte stream together that were cut in two by how they were written or read:
/// what comes out begins and ends with whole ones. Bytes that are no UTF-8 pass as they are. Not
/// thread-safe.
final class Utf8Join {
  private static final int MAX_BYTES = 4; // RFC 3629 §3.

  private final byte[] begun = new byte[MAX_BYTES];
  private int size;

  /// Passes on what is whole; the last bytes are kept when they are the beginning of a character.
  void add(ByteBuf text, Consumer<ByteBuf> sink) {
    while (size > 0 && text.isReadable()) {
      if (size == length(begun[0]) || !isContinuation(text.getByte(text.readerIndex()))) {
        break;
      }
      begun[size++] = text.readByte();
    }
    if (size > 0 && (size == length(begun[0]) || text.isReadable())) {
      flush(sink);
    }
    int cut = text.writerIndex() - begun(text);
    for (int i = cut; i < text.writerIndex(); i++) {
      begun[size++] = text.getByte(i);
    }
    text.writerIndex(cut);
    if (text.isReadable()) {
      sink.accept(text);
    }
  }

  /// Passes on what is kept: its rest does not come.
  void flush(Consumer<ByteBuf> sink) {
    if (size > 0) {
      int kept = size;
      size = 0;
      sink.accept(Unpooled.copiedBuffer(begun, 0, kept));
    }
  }

  /// How many bytes at the end are the beginning of a character.
  private static int begun(ByteBuf text) {
    int end = text.writerIndex();
    int most = Math.min(MAX_BYTES - 1, text.readableBytes());
    for (int back = 1; back <= most; back++) {
      byte candidate = text.getByte(end - back);
      if (!isContinuation(candidate)) {
        return length(candidate) > back ? back : 0;
      }
    }
    return 0;
  }

  private static boolean isContinuation(byte value) {
    return (value & 0xc0) == 0x80;
  }

  /// Bytes of the character that begins so; 1 for what begins none.
  private static int length(byte first) {
    int value = first & 0xff;
    if (value >= 0xf0 && value < 0xf8) {
      return 4;
    }
    if (value >= 0xe0) {
      return value < 0xf0 ? 3 : 1;
    }
    return value >= 0xc0 ? 2 : 1;
  }
}
