package io.easyfaas.common.json;

import java.util.Arrays;
import java.util.Collection;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.ValueInstantiationException;

/// What is wrong with a document, told to who wrote it: the member, what came, what was expected,
/// and where. Pure.
final class Misfit {
  private static final int MAX_QUOTED_CHARACTERS = 64;

  private Misfit() {}

  /// @param parser where the failure is
  static JsonException of(JacksonException e, JsonParser parser) {
    String what =
        switch (e) {
          case ValueInstantiationException refused -> refusal(refused);
          case MismatchedInputException misfit ->
              came(parser) + " (expected: " + kind(misfit.getTargetType()) + ")";
          case InputCoercionException large ->
              came(parser) + " (expected: " + range(large.getTargetType()) + ")";
          default -> plain(e.getOriginalMessage());
        };
    return new JsonException("JSON: " + member(e) + what + where(e), e);
  }

  /// A document that is `null`.
  static JsonException nothing(Class<?> type) {
    return new JsonException("JSON: null (expected: " + kind(type) + ")", null);
  }

  /// @param parser at what follows the document
  static JsonException more(JsonParser parser) {
    return new JsonException("JSON: " + came(parser) + " (expected: the end)", null);
  }

  /// Where in the document, for example `Code.Location: `; empty for the document itself.
  private static String member(JacksonException e) {
    String path =
        e.getPath().stream()
            .map(step ->
                step.getPropertyName() == null
                    ? String.valueOf(step.getIndex())
                    : step.getPropertyName())
            .collect(Collectors.joining("."));
    return path.isEmpty() ? "" : path + ": ";
  }

  private static String where(JacksonException e) {
    var at = e.getLocation();
    boolean known = at != null && at.getLineNr() > 0;
    return known ? " at line " + at.getLineNr() + ", column " + at.getColumnNr() : "";
  }

  private static String came(JsonParser parser) {
    JsonToken token = parser.currentToken();
    return switch (token) {
      case null -> "nothing";
      case START_OBJECT, END_OBJECT, PROPERTY_NAME -> "an object";
      case START_ARRAY, END_ARRAY -> "a list";
      case VALUE_STRING -> text(parser);
      default -> beginning(parser.getString());
    };
  }

  private static String text(JsonParser parser) {
    try {
      return "\"" + beginning(parser.getString()) + "\"";
    } catch (JacksonException _) { // It ends nowhere, or is not UTF-8.
      return "a text";
    }
  }

  private static String beginning(String text) {
    if (text.length() <= MAX_QUOTED_CHARACTERS) {
      return text;
    }
    boolean cutsInTwo = Character.isHighSurrogate(text.charAt(MAX_QUOTED_CHARACTERS - 1));
    return text.substring(0, MAX_QUOTED_CHARACTERS - (cutsInTwo ? 1 : 0)) + "…";
  }

  private static String kind(@Nullable Class<?> type) {
    if (type == null) {
      return "another value";
    }
    if (type == String.class) {
      return "a text";
    }
    if (type == byte[].class) {
      return "a text of base64";
    }
    if (type == Boolean.class || type == boolean.class) {
      return "true or false";
    }
    if (isWhole(type)) {
      return "a whole number";
    }
    if (Number.class.isAssignableFrom(type) || type == double.class) {
      return "a number";
    }
    if (type.isEnum()) {
      return "one of "
          + Arrays.stream(type.getEnumConstants())
              .map(String::valueOf)
              .collect(Collectors.joining(", "));
    }
    return type.isArray() || Collection.class.isAssignableFrom(type) ? "a list" : "an object";
  }

  private static String range(@Nullable Class<?> type) {
    boolean isLong = type == Long.class || type == long.class;
    return isLong
        ? "a whole number from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE
        : "a whole number from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE;
  }

  private static boolean isWhole(Class<?> type) {
    return type == Integer.class || type == int.class || type == Long.class || type == long.class;
  }

  /// What a record's constructor says against its members.
  private static String refusal(ValueInstantiationException e) {
    Throwable cause = e.getCause();
    return cause instanceof NullPointerException
        ? "no " + cause.getMessage()
        : String.valueOf(cause == null ? e.getOriginalMessage() : cause.getMessage());
  }

  /// Without the parser's names for its own settings.
  private static String plain(String message) {
    return message.replaceAll(", from `[^`]*`", "");
  }
}
