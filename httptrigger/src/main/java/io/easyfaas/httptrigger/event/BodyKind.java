package io.easyfaas.httptrigger.event;

import io.easyfaas.common.http.HttpRequest;
import java.util.Locale;
import java.util.Set;

/// Whether a body can travel inside a JSON string unharmed.
public enum BodyKind {
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

  /// A body is binary when it is compressed, or when its type is one of bytes; and, which is not
  /// said here, when it is not UTF-8 whatever its type says. The decision of the type comes first,
  /// so that a handler for images need not expect the one image that happens to be text.
  static BodyKind of(HttpRequest head) {
    String encoding = head.header("Content-Encoding").orElse("identity");
    String type =
        head.header("Content-Type").orElse("").split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    boolean isXml = type.endsWith("+xml"); // image/svg+xml
    boolean isBinary =
        !encoding.equalsIgnoreCase("identity")
            || BINARY_TYPES.contains(type)
            || (BINARY_GROUPS.contains(type.split("/", 2)[0]) && !isXml);
    return isBinary ? BINARY : TEXT;
  }
}
