package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;

/// The last bytes of a text, in a ring of fixed size. Not thread-safe.
public final class ByteTail {
  private final byte[] ring;
  private long written;

  /// Creates an empty tail.
  ///
  /// @param capacity bytes kept, at least 1
  public ByteTail(int capacity) {
    ring = new byte[capacity];
  }

  /// Adds bytes; the buffer's own position does not change. Costs at most a copy of `capacity`
  /// bytes, however long the text is.
  public void add(ByteBuf text) {
    int length = text.readableBytes();
    int skipped = Math.max(0, length - ring.length);
    written += skipped;
    int from = text.readerIndex() + skipped;
    int left = length - skipped;
    while (left > 0) {
      int at = (int) (written % ring.length);
      int size = Math.min(left, ring.length - at);
      text.getBytes(from, ring, at, size);
      from += size;
      left -= size;
      written += size;
    }
  }

  /// Whether nothing was added.
  public boolean isEmpty() {
    return written == 0;
  }

  /// What is kept, as text. A character whose first bytes are lost is left out.
  public String text() {
    byte[] kept = kept();
    int offset = firstCharacter(kept);
    return new String(kept, offset, kept.length - offset, UTF_8);
  }

  /// Bytes that were added and are not in {@link #text}.
  public long leftOut() {
    byte[] kept = kept();
    return written - kept.length + firstCharacter(kept);
  }

  private byte[] kept() {
    int size = (int) Math.min(written, ring.length);
    byte[] kept = new byte[size];
    int start = (int) ((written - size) % ring.length);
    int first = Math.min(size, ring.length - start);
    System.arraycopy(ring, start, kept, 0, first);
    System.arraycopy(ring, 0, kept, first, size - first);
    return kept;
  }

  private int firstCharacter(byte[] kept) {
    int offset = 0;
    if (written > ring.length) {
      // 10xxxxxx: a continuation byte, of which a character has at most three (RFC 3629 §3).
      while (offset < Math.min(kept.length, 3) && (kept[offset] & 0xc0) == 0x80) {
        offset++;
      }
    }
    return offset;
  }
}
