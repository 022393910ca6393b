package io.easyfaas.controller.engine;

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
  /// Reads a head; what is not one says nothing.
  ///
  /// @param head stays the caller's
  static AnswerHead read(ByteBuf head) {
    if (!head.isReadable()) {
      return AnswerHead.NONE;
    }
    try {
      return Json.CAMEL.read(ByteBufUtil.getBytes(head), StreamHead.class).toHead();
    } catch (JsonException _) {
      return AnswerHead.NONE;
    }
  }

  private AnswerHead toHead() {
    return new AnswerHead(
        requireNonNullElse(status, 0),
        requireNonNullElse(contentType, ""),
        requireNonNullElse(headers, Map.of()),
        AnswerHead.UNKNOWN);
  }
}
