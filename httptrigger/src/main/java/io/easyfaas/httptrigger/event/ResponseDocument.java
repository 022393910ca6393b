package io.easyfaas.httptrigger.event;

import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.json.JsonReader;
import io.easyfaas.common.json.JsonReader.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// What of a function's answer counts as a response, read in one pass: of the body only where it
/// is.
///
/// @param form what the answer is at all
/// @param status `statusCode`, when it is one
/// @param headers by name as given; empty for a value that is no text, number or boolean. Of too
///   many for a response, as many as show that
/// @param body where in the answer the quote of `body` is, when it is a text
/// @param isBase64 whether `isBase64Encoded` is true
record ResponseDocument(
    Form form,
    OptionalInt status,
    Map<String, Optional<String>> headers,
    OptionalInt body,
    boolean isBase64) {
  // Most servers take no longer a head, and most clients neither.
  static final int MAX_HEADER_CHARS = 32 * 1024;

  /// What an answer is.
  enum Form {
    /// Not a JSON object.
    TEXT,
    /// A JSON object that is no response.
    OBJECT,
    /// A response.
    RESPONSE
  }

  private static final ResponseDocument TEXT =
      new ResponseDocument(Form.TEXT, OptionalInt.empty(), Map.of(), OptionalInt.empty(), false);

  /// Reads an answer, which stays the caller's.
  static ResponseDocument read(ByteBuf answer) {
    ByteBuf json = answer.slice();
    Members members = new Members(json.duplicate());
    try (JsonReader reader = new JsonReader(new ByteBufInputStream(json))) {
      boolean isObject = reader.object((name, kind) -> members.take(reader, name, kind));
      return isObject ? members.document() : TEXT;
    } catch (JsonException _) {
      return TEXT;
    }
  }

  /// Characters of a header.
  static int size(String name, Optional<String> value) {
    return name.length() + value.orElse("").length();
  }

  /// The members so far; of several with one name the last counts.
  private static final class Members {
    // No text that may be a header's has more bytes in the document: each character escaped.
    private static final int MAX_ESCAPED_BYTES = 6 * MAX_HEADER_CHARS;
    // In the place of one that is longer, and is not made.
    private static final String TOO_LONG = "x".repeat(MAX_HEADER_CHARS + 1);

    private final ByteBuf json;
    private OptionalInt status = OptionalInt.empty();
    private Map<String, Optional<String>> headers = Map.of();
    private OptionalInt body = OptionalInt.empty();
    private boolean hasBody = true;
    private boolean hasHeaders = true;
    private boolean isBase64;

    Members(ByteBuf json) {
      this.json = json;
    }

    void take(JsonReader reader, String name, Kind kind) {
      switch (name) {
        case "statusCode" ->
            status = kind == Kind.INTEGER ? status(reader.text()) : OptionalInt.empty();
        case "isBase64Encoded" -> isBase64 = kind == Kind.TRUE;
        case "body" -> {
          body = kind == Kind.TEXT ? OptionalInt.of((int) reader.position()) : OptionalInt.empty();
          hasBody = kind == Kind.TEXT || kind == Kind.NULL;
        }
        case "headers" -> {
          headers = kind == Kind.OBJECT ? headers(reader) : Map.of();
          hasHeaders = kind == Kind.OBJECT || kind == Kind.NULL;
        }
        default -> {} // Not ours.
      }
    }

    ResponseDocument document() {
      boolean isResponse = status.isPresent() && hasBody && hasHeaders;
      return new ResponseDocument(
          isResponse ? Form.RESPONSE : Form.OBJECT, status, headers, body, isBase64);
    }

    private static OptionalInt status(String number) {
      if (number.length() != 3) {
        return OptionalInt.empty();
      }
      int status = Integer.parseInt(number);
      return status >= 100 && status <= 599 ? OptionalInt.of(status) : OptionalInt.empty();
    }

    private Map<String, Optional<String>> headers(JsonReader reader) {
      Map<String, Optional<String>> headers = new HashMap<>();
      int[] length = {0};
      reader.members((name, kind) -> {
        if (length[0] <= MAX_HEADER_CHARS) {
          Optional<String> value = value(reader, kind);
          length[0] += size(name, value);
          Optional<String> before = headers.put(name, value);
          length[0] -= before == null ? 0 : size(name, before);
        }
      });
      return headers;
    }

    private Optional<String> value(JsonReader reader, Kind kind) {
      return switch (kind) {
        case TEXT -> {
          JsonText text = new JsonText(json, (int) reader.position());
          boolean isTooLong = text.isLongerThan(MAX_ESCAPED_BYTES);
          yield Optional.of(isTooLong ? TOO_LONG : reader.text());
        }
        case INTEGER -> Optional.of(reader.text());
        case FRACTION -> Optional.of(Double.toString(reader.fraction()));
        case TRUE -> Optional.of("true");
        case FALSE -> Optional.of("false");
        case NULL -> Optional.of("");
        case OBJECT, ARRAY -> Optional.empty();
      };
    }
  }
}
