package io.easyfaas.httptrigger.event;

import io.netty.buffer.ByteBuf;

/// One look at some bytes: whether they are UTF-8 (RFC 3629 §4), and how long they are in a JSON
/// string (RFC 8259 §7). A few KiB at a time are copied to where a plain loop finds them: reading a
/// buffer of many parts byte by byte takes fifty times as long. Not thread-safe.
final class TextScan {
  private static final int CHUNK_BYTES = 8 * 1024;

  private boolean isText = true;
  private long escapes;
  private int missing;
  private int least;
  private int most;

  /// Looks at bytes, which stay the caller's.
  static TextScan of(ByteBuf bytes) {
    TextScan scan = new TextScan();
    int end = bytes.writerIndex();
    byte[] chunk = new byte[Math.min(CHUNK_BYTES, bytes.readableBytes())];
    for (int at = bytes.readerIndex(); at < end && scan.isText; at += chunk.length) {
      int size = Math.min(chunk.length, end - at);
      bytes.getBytes(at, chunk, 0, size);
      scan.look(chunk, size);
    }
    scan.isText &= scan.missing == 0;
    return scan;
  }

  /// Whether all of it is UTF-8.
  boolean isText() {
    return isText;
  }

  /// Bytes that escaping adds, when it is.
  long escapes() {
    return escapes;
  }

  /// Bytes of a text in a JSON document, with its quotes.
  static long quotedBytes(String text) {
    long bytes = 2;
    for (int i = 0; i < text.length(); i++) {
      char letter = text.charAt(i);
      if (letter < 0x80) {
        boolean isPlain = letter >= 0x20 && letter != '"' && letter != '\\';
        bytes += isPlain ? 1 : 1 + escapesOf((byte) letter);
      } else {
        // Two surrogates are one character of four bytes.
        bytes += letter < 0x800 || Character.isSurrogate(letter) ? 2 : 3;
      }
    }
    return bytes;
  }

  private void look(byte[] chunk, int size) {
    for (int i = 0; i < size; i++) {
      byte value = chunk[i];
      if (missing == 0 && value >= 0) {
        if (value < 0x20 || value == '"' || value == '\\') {
          escapes += escapesOf(value);
        }
      } else if (!goesOn(value & 0xff)) {
        isText = false;
        return;
      }
    }
  }

  private static int escapesOf(byte value) {
    return switch (value) {
      case '"', '\\', '\n', '\r', '\t', '\b', '\f' -> 1;
      default -> 5;
    };
  }

  /// Whether a character may begin with this byte, or go on with it.
  private boolean goesOn(int value) {
    if (missing > 0) {
      boolean fits = value >= least && value <= most;
      missing--;
      least = 0x80;
      most = 0xbf;
      return fits;
    }
    if (value < 0xc2 || value > 0xf4) {
      return false;
    }
    missing = value < 0xe0 ? 1 : value < 0xf0 ? 2 : 3;
    least = value == 0xe0 ? 0xa0 : value == 0xf0 ? 0x90 : 0x80;
    most = value == 0xed ? 0x9f : value == 0xf4 ? 0x8f : 0xbf;
    return true;
  }
}
