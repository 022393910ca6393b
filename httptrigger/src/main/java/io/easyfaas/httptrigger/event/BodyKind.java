package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.HttpRequest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
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
  static BodyKind of(HttpRequest request) {
    if (request.body().length == 0) {
      return TEXT;
    }
    String encoding = request.header("Content-Encoding").orElse("identity");
    String type =
        request.header("Content-Type").orElse("").split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    boolean isXml = type.endsWith("+xml"); // image/svg+xml
    boolean isBinary =
        !encoding.equalsIgnoreCase("identity")
            || BINARY_TYPES.contains(type)
            || (BINARY_GROUPS.contains(type.split("/", 2)[0]) && !isXml)
            || !isUtf8(request.body());
    return isBinary ? BINARY : TEXT;
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)); // A new decoder reports what is malformed.
      return true;
    } catch (CharacterCodingException _) {
      return false;
    }
  }
}
