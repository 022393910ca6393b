package io.easyfaas.common.invoke;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.SecureRandom;

/// Makes request ids, and decides which given ones are taken. Not thread-safe; owned by one event
/// loop.
///
/// An id is a UUID of version 4 (RFC 9562 §5.4). It has to be unique, not secret, so its bits come
/// from xoshiro256++ (Blackman and Vigna, 2019), seeded from the system.
public final class RequestIds {
  private static final int MAX_GIVEN_CHARACTERS = 128;
  private static final byte[] DIGITS = "0123456789abcdef".getBytes(ISO_8859_1);

  private long s0;
  private long s1;
  private long s2;
  private long s3;

  /// Seeds the generator.
  public RequestIds(SecureRandom seed) {
    s0 = seed.nextLong();
    s1 = seed.nextLong();
    s2 = seed.nextLong();
    s3 = seed.nextLong() | 1; // All zeros is the one state that must not be.
  }

  /// The given id when it may be used everywhere (1 to 128 printable ASCII characters), else a new
  /// one. The bytes are ASCII.
  public byte[] take(String given) {
    return isUsable(given) ? given.getBytes(ISO_8859_1) : next();
  }

  private static boolean isUsable(String given) {
    if (given.isEmpty() || given.length() > MAX_GIVEN_CHARACTERS) {
      return false;
    }
    for (int i = 0; i < given.length(); i++) {
      char c = given.charAt(i);
      if (c < 0x21 || c > 0x7e) {
        return false;
      }
    }
    return true;
  }

  /// A new id.
  public byte[] next() {
    long high = (random() & 0xffff_ffff_ffff_0fffL) | 0x4000L;
    long low = (random() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
    byte[] text = new byte[36];
    hex(high, 60, 8, text, 0);
    text[8] = '-';
    hex(high, 28, 4, text, 9);
    text[13] = '-';
    hex(high, 12, 4, text, 14);
    text[18] = '-';
    hex(low, 60, 4, text, 19);
    text[23] = '-';
    hex(low, 44, 12, text, 24);
    return text;
  }

  private static void hex(long bits, int firstShift, int digits, byte[] text, int at) {
    for (int i = 0; i < digits; i++) {
      text[at + i] = DIGITS[(int) (bits >>> (firstShift - 4 * i)) & 15];
    }
  }

  private long random() {
    long result = Long.rotateLeft(s0 + s3, 23) + s0;
    long t = s1 << 17;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = Long.rotateLeft(s3, 45);
    return result;
  }
}
