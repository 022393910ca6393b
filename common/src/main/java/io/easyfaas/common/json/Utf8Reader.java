package io.easyfaas.common.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.budget.LongWork;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;

/// Decodes UTF-8, and knows at which byte a character begins. What is not UTF-8 ends it with a
/// {@link java.nio.charset.CharacterCodingException}. Not thread-safe.
final class Utf8Reader extends Reader {
  private static final int BUFFER_BYTES = 8 * 1024;
  private static final int MIN_BUFFER_BYTES = 16;

  private final InputStream in;
  private final CharsetDecoder decoder = UTF_8.newDecoder(); // It reports by itself.
  private final ByteBuffer bytes; // Read and not decoded yet.
  private boolean isEnd;

  private long characters; // Handed out so far,
  private long decoded; // of so many bytes.

  // What was handed out last, and the place in it that was last asked for, by all three counts.
  private char[] piece = {};
  private int at;
  private long atCharacter;
  private long atByte;

  /// @param in stays open
  Utf8Reader(InputStream in) throws IOException {
    this.in = in;
    this.bytes =
        ByteBuffer.allocate(Math.clamp(in.available(), MIN_BUFFER_BYTES, BUFFER_BYTES)).limit(0);
  }

  /// @param length at least 2: a character may be made of two
  @Override
  public int read(char[] to, int offset, int length) throws IOException {
    piece = to;
    at = offset;
    atCharacter = characters;
    atByte = decoded;
    CharBuffer out = CharBuffer.wrap(to, offset, length);
    while (out.position() == offset) {
      if (!isEnd) {
        fill();
      }
      int before = bytes.position();
      CoderResult result = decoder.decode(bytes, out, isEnd);
      if (result.isError()) {
        result.throwException();
      }
      decoded += bytes.position() - before;
      if (isEnd && !bytes.hasRemaining()) {
        break;
      }
    }
    int read = out.position() - offset;
    characters += read;
    return read == 0 ? -1 : read;
  }

  private void fill() throws IOException {
    if (characters > 0) {
      LongWork.giveWay();
    }
    bytes.compact();
    int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
    if (read < 0) {
      isEnd = true;
    } else {
      bytes.position(bytes.position() + read);
    }
    bytes.flip();
  }

  /// Bytes before a character of the piece that was handed out last, and not before one that was
  /// asked for already: each is counted once.
  ///
  /// @param character its number from the beginning
  long bytesBefore(long character) {
    for (; atCharacter < character; atCharacter++) {
      char each = piece[at++];
      if (each < 0x80) {
        atByte += 1;
      } else if (each < 0x800 || Character.isSurrogate(each)) { // Of four bytes for two.
        atByte += 2;
      } else {
        atByte += 3;
      }
    }
    return atByte;
  }

  @Override
  public void close() {
    // The stream is its owner's.
  }
}
