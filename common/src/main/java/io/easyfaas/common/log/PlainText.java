package io.easyfaas.common.log;

/// Makes text of others safe to be read in a line of ours: it cannot end the line, move the cursor,
/// or turn the direction of writing. Pure.
public final class PlainText {
  private PlainText() {}

  /// The text with its control characters as visible escapes: `\n`, `\r`, `\t`, else `\x1b` or
  /// `\u2028`. The same object when there are none.
  public static String of(String text) {
    int first = 0;
    while (first < text.length() && !isControl(text.charAt(first))) {
      first++;
    }
    if (first == text.length()) {
      return text;
    }
    StringBuilder plain = new StringBuilder(text.length() + 16).append(text, 0, first);
    for (int i = first; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isControl(c)) {
        escape(c, plain);
      } else {
        plain.append(c);
      }
    }
    return plain.toString();
  }

  private static void escape(char c, StringBuilder plain) {
    switch (c) {
      case '\n' -> plain.append("\\n");
      case '\r' -> plain.append("\\r");
      case '\t' -> plain.append("\\t");
      default ->
          plain.append(c < 0x100 ? "\\x%02x".formatted((int) c) : "\\u%04x".formatted((int) c));
    }
  }

  /// C0, DEL and C1; separators of lines and paragraphs; what turns or isolates a direction.
  private static boolean isControl(char c) {
    return c < 0x20
        || (c >= 0x7f && c <= 0x9f)
        || c == 0x061c
        || c == 0x200e
        || c == 0x200f
        || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2066 && c <= 0x2069);
  }
}
