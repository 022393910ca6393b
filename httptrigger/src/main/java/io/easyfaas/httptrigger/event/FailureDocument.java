package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.json.JsonReader;
import io.easyfaas.common.json.JsonReader.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The error object of a failed function, read in one pass: its texts stay where they are, since
/// they may be as long as an answer.
///
/// @param message `errorMessage`: what went wrong
/// @param type `errorType`; empty when the engine did not know one
record FailureDocument(Optional<JsonText> message, Optional<JsonText> type) {
  private static final String MESSAGE = "errorMessage";
  private static final String TYPE = "errorType";

  /// Reads an answer, which stays the caller's and has to outlive this.
  ///
  /// @return empty when it is no JSON object, or one of the two is no text
  static Optional<FailureDocument> read(ByteBuf answer) {
    ByteBuf json = answer.slice();
    Map<String, Optional<JsonText>> texts = new HashMap<>(); // Empty: neither text nor null.
    try (JsonReader reader = new JsonReader(new ByteBufInputStream(json.duplicate()))) {
      boolean isObject =
          reader.object((name, kind) -> {
            if (kind == Kind.NULL) {
              texts.remove(name);
            } else if (name.equals(MESSAGE) || name.equals(TYPE)) { // The others stay inside.
              texts.put(
                  name,
                  kind == Kind.TEXT
                      ? Optional.of(new JsonText(json, (int) reader.position()))
                      : Optional.empty());
            }
          });
      return isObject && texts.values().stream().allMatch(Optional::isPresent)
          ? Optional.of(
              new FailureDocument(
                  texts.getOrDefault(MESSAGE, Optional.empty()),
                  texts.getOrDefault(TYPE, Optional.empty())))
          : Optional.empty();
    } catch (JsonException _) {
      return Optional.empty();
    }
  }

  /// The object with these two members only.
  ///
  /// @return shares the bytes of the answer; belongs to the caller
  ByteBuf toJson() {
    List<ByteBuf> pieces = new ArrayList<>();
    message.ifPresent(text -> add(pieces, MESSAGE, text));
    type.ifPresent(text -> add(pieces, TYPE, text));
    pieces.add(ascii(pieces.isEmpty() ? "{}" : "}"));
    return Unpooled.wrappedBuffer(pieces.size(), pieces.toArray(ByteBuf[]::new));
  }

  private static void add(List<ByteBuf> pieces, String name, JsonText text) {
    pieces.add(ascii((pieces.isEmpty() ? "{" : ",") + '"' + name + "\":"));
    pieces.add(text.quoted());
  }

  private static ByteBuf ascii(String text) {
    return Unpooled.copiedBuffer(text, US_ASCII);
  }
}
