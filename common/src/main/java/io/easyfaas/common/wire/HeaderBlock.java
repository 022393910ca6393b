package io.easyfaas.common.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;

/// Writes the header block of INVOKE: what a call carries besides its event, see protocol.md §5.
/// Not thread-safe.
public final class HeaderBlock {
  /// A block without entries. Nobody changes it.
  public static final byte[] NONE = {};

  /// The longest block.
  public static final int MAX_BYTES = 16 * 1024;

  /// What an entry says.
  public enum Name {
    /// Where the call is in a trace, W3C Trace Context §3.2.
    TRACE_PARENT(1),
    /// What tracing systems add to that, §3.3.
    TRACE_STATE(2),
    /// What the caller says about itself, JSON.
    CLIENT_CONTEXT(3),
    /// Who the caller is as the engine knows it, JSON.
    IDENTITY(4);

    private final int code;

    Name(int code) {
      this.code = code;
    }
  }

  private final ByteArrayOutputStream block = new ByteArrayOutputStream();

  /// Adds an entry, unless the value is empty. A name is added once.
  ///
  /// @throws IllegalArgumentException when the block becomes too long; it stays as it was
  public HeaderBlock add(Name name, String value) {
    if (value.isEmpty()) {
      return this;
    }
    byte[] bytes = value.getBytes(UTF_8);
    int size = block.size() + 3 + bytes.length;
    if (size > MAX_BYTES) {
      throw new IllegalArgumentException(
          "header block: "
              + size
              + " bytes with "
              + name
              + " (expected: at most "
              + MAX_BYTES
              + ")");
    }
    block.write(name.code);
    block.write(bytes.length >>> 8);
    block.write(bytes.length);
    block.writeBytes(bytes);
    return this;
  }

  /// The block as it goes into the frame.
  public byte[] encode() {
    return block.size() == 0 ? NONE : block.toByteArray();
  }
}
