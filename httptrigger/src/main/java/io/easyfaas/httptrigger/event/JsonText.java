package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.budget.LongWork;
import io.easyfaas.common.wire.ApiException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.util.ByteProcessor;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.function.IntFunction;

/// A string inside a JSON document that has been checked already, made bytes of without becoming an
/// object on the heap (RFC 8259 §7).
///
/// @param json the document; stays the caller's
/// @param quote where the string's first quote is
record JsonText(ByteBuf json, int quote) {
  private static final int STEP_BYTES = 16 * 1024;
  private static final ByteProcessor PLAIN = value -> value != '"' && value != '\\';

  /// The text as UTF-8: part of the document as it is, when nothing in it is escaped. Half a
  /// surrogate pair becomes U+FFFD.
  ///
  /// @param memory makes buffers of so many bytes
  /// @return belongs to the caller
  ByteBuf decode(IntFunction<ByteBuf> memory) {
    int at = quote + 1;
    int end = json.writerIndex();
    int first = json.forEachByte(at, end - at, PLAIN);
    if (json.getByte(first) == '"') {
      return json.retainedSlice(at, first - at);
    }
    ByteBuf text = memory.apply(length());
    int next = at + STEP_BYTES;
    while (true) {
      int special = json.forEachByte(at, end - at, PLAIN);
      text.writeBytes(json, at, special - at);
      if (json.getByte(special) == '"') {
        return text;
      }
      at = unescape(special + 1, text);
      if (at >= next) {
        next = at + STEP_BYTES;
        LongWork.giveWay();
      }
    }
  }

  /// The bytes that the text is the base64 of.
  ///
  /// @param memory makes buffers of so many bytes
  /// @return belongs to the caller
  /// @throws IllegalArgumentException when it is not base64
  ByteBuf decodeBase64(IntFunction<ByteBuf> memory) {
    ByteBuf text = decode(memory);
    ByteBuf bytes;
    try {
      // With room for one more, so that the end is seen before it is full.
      bytes = memory.apply(text.readableBytes() / 4 * 3 + 4);
    } catch (ApiException | OutOfMemoryError e) {
      text.release();
      throw e;
    }
    try (InputStream decoded = Base64.getDecoder().wrap(new ByteBufInputStream(text))) {
      while (bytes.writeBytes(decoded, Math.min(STEP_BYTES, bytes.writableBytes())) >= 0) {
        LongWork.giveWay();
      }
      return bytes;
    } catch (IOException e) {
      bytes.release();
      throw new IllegalArgumentException(e.getMessage(), e);
    } finally {
      text.release();
    }
  }

  /// The string as it is in the document, with its quotes and escapes.
  ///
  /// @return shares the document's bytes; belongs to the caller
  ByteBuf quoted() {
    return json.retainedSlice(quote, length() + 2);
  }

  /// Whether there are more bytes between the quotes, with escapes. The document need not have been
  /// checked from here on.
  ///
  /// @param most how many are looked at
  boolean isLongerThan(int most) {
    boolean endsLater = json.writerIndex() - quote - 1 > most;
    return endsLater && closingQuote(quote + most + 2) < 0;
  }

  /// Bytes between the quotes, with escapes.
  private int length() {
    return closingQuote(json.writerIndex()) - quote - 1;
  }

  /// Where it is; negative when it is not before the limit.
  private int closingQuote(int limit) {
    int at = quote + 1;
    while (at < limit) {
      int special = json.forEachByte(at, limit - at, PLAIN);
      if (special < 0 || json.getByte(special) == '"') {
        return special;
      }
      at = special + 2;
    }
    return -1;
  }

  /// Writes the character whose escape begins after the backslash; returns where it ends.
  private int unescape(int at, ByteBuf text) {
    byte letter = json.getByte(at);
    switch (letter) {
      case 'b' -> text.writeByte('\b');
      case 'f' -> text.writeByte('\f');
      case 'n' -> text.writeByte('\n');
      case 'r' -> text.writeByte('\r');
      case 't' -> text.writeByte('\t');
      case 'u' -> {
        return unicode(at + 1, text);
      }
      default -> text.writeByte(letter); // Quote, backslash and slash stand for themselves.
    }
    return at + 1;
  }

  private int unicode(int at, ByteBuf text) {
    char first = hex(at);
    int next = at + 4;
    if (Character.isHighSurrogate(first)
        && json.getByte(next) == '\\'
        && json.getByte(next + 1) == 'u'
        && Character.isLowSurrogate(hex(next + 2))) {
      text.writeCharSequence(
          Character.toString(Character.toCodePoint(first, hex(next + 2))), UTF_8);
      return next + 6;
    }
    text.writeCharSequence(
        Character.isSurrogate(first) ? "\ufffd" : Character.toString(first), UTF_8);
    return next;
  }

  private char hex(int at) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = value << 4 | Character.digit(json.getByte(at + i), 16);
    }
    return (char) value;
  }
}
