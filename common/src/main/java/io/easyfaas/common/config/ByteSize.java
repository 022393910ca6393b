package io.easyfaas.common.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number of bytes, for example a memory limit.
///
/// @param bytes zero or more
public record ByteSize(long bytes) implements Comparable<ByteSize> {
  /// No bytes.
  public static final ByteSize ZERO = new ByteSize(0);

  private static final Pattern FORM = Pattern.compile("([0-9]{1,15})(B|K|M|G|T)(I?B)?");

  /// Checks that the number is not negative.
  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("bytes: " + bytes + " (expected: >= 0)");
    }
  }

  /// A number of mebibytes.
  public static ByteSize ofMebibytes(long mebibytes) {
    return new ByteSize(Math.multiplyExact(mebibytes, 1L << 20));
  }

  /// Reads `128M`, `128MiB`, `1g` or `4096B`: all units are powers of 1024, a unit is required.
  ///
  /// @throws ConfigException when the text has another form
  public static ByteSize parse(String text) {
    Matcher matcher = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!matcher.matches() || (matcher.group(2).equals("B") && matcher.group(3) != null)) {
      throw new ConfigException(
          "size: \"" + text + "\" (expected: a number and a unit, for example 128MiB)");
    }
    long unit = 1L << (10 * "BKMGT".indexOf(matcher.group(2)));
    try {
      return new ByteSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), unit));
    } catch (ArithmeticException _) {
      throw new ConfigException("size: \"" + text + "\" (expected: less than 8EiB)");
    }
  }

  /// The number of whole mebibytes.
  public long mebibytes() {
    return bytes >> 20;
  }

  /// The sum of two sizes.
  public ByteSize plus(ByteSize other) {
    return new ByteSize(Math.addExact(bytes, other.bytes));
  }

  /// The size as often as that.
  public ByteSize times(int count) {
    return new ByteSize(Math.multiplyExact(bytes, count));
  }

  /// The difference of two sizes.
  ///
  /// @throws IllegalArgumentException when the other one is larger
  public ByteSize minus(ByteSize other) {
    return new ByteSize(bytes - other.bytes);
  }

  @Override
  public int compareTo(ByteSize other) {
    return Long.compare(bytes, other.bytes);
  }

  /// The size in the largest unit that divides it, for example `128MiB`.
  @Override
  public String toString() {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    long value = bytes;
    while (value != 0 && value % 1024 == 0 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return value + units[unit];
  }
}
