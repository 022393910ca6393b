package io.easyfaas.common.json;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.BiConsumer;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/// Reads one JSON document value by value, for what is too large to be made objects of: a text that
/// is not asked for is passed over without being kept, and no name is kept. Not thread-safe.
///
/// Every method throws a {@link JsonException} when the bytes are not JSON in UTF-8 (RFC 8259
/// §8.1).
public final class JsonReader implements AutoCloseable {
  /// What a value is.
  public enum Kind {
    /// Members follow, see {@link JsonReader#nextName}.
    OBJECT,
    /// A list.
    ARRAY,
    /// A text, see {@link JsonReader#text}.
    TEXT,
    /// A number without fraction and exponent.
    INTEGER,
    /// Another number.
    FRACTION,
    /// True.
    TRUE,
    /// False.
    FALSE,
    /// Nothing.
    NULL
  }

  // It does not keep the names of all documents that it has read: whoever writes them chooses them.
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES).build();

  private final Utf8Reader characters;
  private final JsonParser parser;

  /// Begins to read.
  ///
  /// @param json UTF-8; stays open
  public JsonReader(InputStream json) {
    try {
      characters = new Utf8Reader(json);
    } catch (IOException e) {
      throw new JsonException("JSON: " + e.getMessage(), e);
    }
    parser = FACTORY.createParser(ObjectReadContext.empty(), characters);
  }

  /// Goes to the next value: the document's, or that of the member whose name was read.
  public Kind next() {
    JsonToken token = token();
    return switch (token) {
      case START_OBJECT -> Kind.OBJECT;
      case START_ARRAY -> Kind.ARRAY;
      case VALUE_STRING -> Kind.TEXT;
      case VALUE_NUMBER_INT -> Kind.INTEGER;
      case VALUE_NUMBER_FLOAT -> Kind.FRACTION;
      case VALUE_TRUE -> Kind.TRUE;
      case VALUE_FALSE -> Kind.FALSE;
      case VALUE_NULL -> Kind.NULL;
      default -> throw unexpected(token.toString());
    };
  }

  /// The name of the object's next member; empty at its end.
  public Optional<String> nextName() {
    JsonToken token = token();
    return switch (token) {
      case PROPERTY_NAME -> Optional.of(parser.currentName());
      case END_OBJECT -> Optional.empty();
      default -> throw unexpected(token.toString());
    };
  }

  /// Reads a document that is an object, to its end.
  ///
  /// @param taker gets the name and the kind of each member in turn; what it does not read of a
  ///   value is passed over
  /// @return false when it is no object
  public boolean object(BiConsumer<String, Kind> taker) {
    if (next() != Kind.OBJECT) {
      return false;
    }
    members(taker);
    end();
    return true;
  }

  /// Reads the members of the object that is the value, as {@link #object} does.
  public void members(BiConsumer<String, Kind> taker) {
    for (Optional<String> name = nextName(); name.isPresent(); name = nextName()) {
      taker.accept(name.get(), next());
      skip();
    }
  }

  /// The text, or the number as it is written.
  public String text() {
    try {
      return parser.getString();
    } catch (JacksonException e) {
      throw failure(e);
    }
  }

  /// The number as floating point.
  public double fraction() {
    try {
      return parser.getDoubleValue();
    } catch (JacksonException e) {
      throw failure(e);
    }
  }

  /// Where the value begins, in bytes from the beginning of the document: a text at its quote.
  /// Asked before the value is read.
  public long position() {
    return characters.bytesBefore(parser.currentTokenLocation().getCharOffset());
  }

  /// Passes over the value and everything in it.
  public void skip() {
    try {
      parser.skipChildren();
    } catch (JacksonException e) {
      throw failure(e);
    }
  }

  /// Checks that the document ends here.
  public void end() {
    try {
      JsonToken token = parser.nextToken();
      if (token != null) {
        throw unexpected(token.toString());
      }
    } catch (JacksonException e) {
      throw failure(e);
    }
  }

  @Override
  public void close() {
    parser.close();
  }

  private JsonToken token() {
    try {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw unexpected("end");
      }
      return token;
    } catch (JacksonException e) {
      throw failure(e);
    }
  }

  private static JsonException unexpected(String what) {
    return new JsonException("JSON: " + what + " (expected: a value)", new IllegalStateException());
  }

  private static JsonException failure(JacksonException e) {
    return new JsonException("JSON: " + e.getOriginalMessage(), e);
  }
}
