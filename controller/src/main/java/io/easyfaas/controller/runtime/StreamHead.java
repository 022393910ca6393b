package io.easyfaas.controller.runtime;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The head of an answer in parts as a runner sends it, see protocol.md §5. Any member may be
/// missing.
record StreamHead(
    @Nullable Integer status, @Nullable String contentType, @Nullable Map<String, String> headers) {
  /// Reads a head.
  ///
  /// @param head stays the caller's
  /// @throws ProtocolException when it is none
  static AnswerHead read(ByteBuf head) throws ProtocolException {
    StreamHead read;
    try {
      read = Json.CAMEL.read(ByteBufUtil.getBytes(head), StreamHead.class);
    } catch (JsonException _) {
      throw new ProtocolException("a head that is none");
    }
    return new AnswerHead(
        requireNonNullElse(read.status(), 0),
        requireNonNullElse(read.contentType(), ""),
        requireNonNullElse(read.headers(), Map.of()),
        AnswerHead.UNKNOWN);
  }
}
