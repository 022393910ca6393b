package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.HttpRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.ByteProcessor;
import java.util.Locale;
import java.util.Set;

/// Whether a body can travel inside a JSON string unharmed.
enum BodyKind {
  /// Goes as it is.
  TEXT,
  /// Goes as base64.
  BINARY;

  private static final Set<String> BINARY_GROUPS = Set.of("image", "audio", "video", "font");
  private static final Set<String> BINARY_TYPES =
      Set.of(
          "application/bson",
          "application/cbor",
          "application/gzip",
          "application/msgpack",
          "application/octet-stream",
          "application/pdf",
          "application/protobuf",
          "application/wasm",
          "application/x-protobuf",
          "application/zip");

  /// A body is binary when it is compressed, when its type is one of bytes, or when it is not UTF-8
  /// whatever its type says. The decision of the type comes first, so that a handler for images
  /// need not expect the one image that happens to be text.
  static BodyKind of(HttpRequest head, ByteBuf body) {
    if (!body.isReadable()) {
      return TEXT;
    }
    String encoding = head.header("Content-Encoding").orElse("identity");
    String type =
        head.header("Content-Type").orElse("").split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    boolean isXml = type.endsWith("+xml"); // image/svg+xml
    boolean isBinary =
        !encoding.equalsIgnoreCase("identity")
            || BINARY_TYPES.contains(type)
            || (BINARY_GROUPS.contains(type.split("/", 2)[0]) && !isXml)
            || !ByteBufUtil.isText(body, UTF_8);
    return isBinary ? BINARY : TEXT;
  }

  /// The characters that a body becomes in a JSON string.
  long encodedLength(ByteBuf body) {
    int length = body.readableBytes();
    if (this == BINARY) {
      return (length + 2L) / 3 * 4;
    }
    Escapes escapes = new Escapes();
    body.forEachByte(escapes);
    return length + escapes.more;
  }

  /// Counts what escaping adds (RFC 8259 §7).
  private static final class Escapes implements ByteProcessor {
    private long more;

    @Override
    public boolean process(byte value) {
      if (value == '"' || value == '\\') {
        more++;
      } else if (value >= 0 && value < 0x20) {
        more +=
            value == '\n' || value == '\r' || value == '\t' || value == '\b' || value == '\f'
                ? 1
                : 5;
      }
      return true;
    }
  }
}
