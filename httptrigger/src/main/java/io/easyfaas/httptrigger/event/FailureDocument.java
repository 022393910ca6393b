package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.json.JsonReader;
import io.easyfaas.common.json.JsonReader.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The error object of a failed function, read in one pass: its texts stay where they are, since
/// they may be as long as an answer.
///
/// @param message `errorMessage`: what went wrong
/// @param type `errorType`; empty when the engine did not know one
record FailureDocument(Optional<JsonText> message, Optional<JsonText> type) {
  /// Reads an answer, which stays the caller's and has to outlive this.
  ///
  /// @return empty when it is no JSON object, or one of the two is no text
  static Optional<FailureDocument> read(ByteBuf answer) {
    ByteBuf json = answer.slice();
    try (JsonReader reader = new JsonReader(new ByteBufInputStream(json.duplicate()))) {
      return reader.next() == Kind.OBJECT && reader.position() >= 0
          ? members(json, reader)
          : Optional.empty();
    } catch (JsonException _) {
      return Optional.empty();
    }
  }

  private static Optional<FailureDocument> members(ByteBuf json, JsonReader reader) {
    Optional<JsonText> message = Optional.empty();
    Optional<JsonText> type = Optional.empty();
    for (Optional<String> name = reader.nextName(); name.isPresent(); name = reader.nextName()) {
      Kind kind = reader.next();
      boolean isMessage = name.get().equals("errorMessage");
      if (isMessage
          || name.get().equals("errorType")) { // The others are nobody's business outside.
        Optional<JsonText> text = Optional.empty();
        if (kind == Kind.TEXT) {
          text = Optional.of(new JsonText(json, (int) reader.position()));
        } else if (kind != Kind.NULL) {
          return Optional.empty();
        }
        message = isMessage ? text : message;
        type = isMessage ? type : text;
      }
      reader.skip();
    }
    reader.end();
    return Optional.of(new FailureDocument(message, type));
  }

  /// The object with these two members only.
  ///
  /// @return shares the bytes of the answer; belongs to the caller
  ByteBuf toJson() {
    List<ByteBuf> pieces = new ArrayList<>();
    message.ifPresent(text -> add(pieces, "errorMessage", text));
    type.ifPresent(text -> add(pieces, "errorType", text));
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
