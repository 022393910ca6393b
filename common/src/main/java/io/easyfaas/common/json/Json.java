package io.easyfaas.common.json;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.Nulls;
import java.io.InputStream;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.PropertyNamingStrategy;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/// Reads and writes JSON documents as records, in one of two spellings.
///
/// Record components are written in declaration order; null components are left out unless the
/// record says otherwise. When reading, unknown members are ignored, and every other one is null or
/// of the kind it has to be: a number in quotes is no number, and 3.0 no whole one. Lists and maps
/// have no null in them. Thread-safe.
public enum Json {
  /// Members spelt as the components are: `errorMessage`. For frames and function errors.
  CAMEL(PropertyNamingStrategies.LOWER_CAMEL_CASE),
  /// Members in upper camel case: `FunctionName`. For the engine's documents.
  PASCAL(PropertyNamingStrategies.UPPER_CAMEL_CASE);

  // A function's whole answer as one text, and some room. Code goes through a sink.
  private static final int MAX_STRING_CHARACTERS = 8 * 1024 * 1024;
  private static final int MAX_DEPTH = 200;

  // Of a document that comes as a stream, besides its binary member.
  private static final int MAX_STREAMED_STRING_CHARACTERS = 8 * 1024;
  private static final int MAX_STREAMED_TOKENS = 8 * 1024;
  private static final ObjectReadContext CONTEXT = ObjectReadContext.empty();
  private static final StreamReadConstraints STREAMED =
      StreamReadConstraints.builder()
          .maxNameLength(MAX_STREAMED_STRING_CHARACTERS)
          .maxStringLength(MAX_STREAMED_STRING_CHARACTERS)
          .maxTokenCount(MAX_STREAMED_TOKENS)
          .maxNestingDepth(MAX_DEPTH)
          .build();

  private static final StreamReadConstraints WHOLE =
      StreamReadConstraints.builder()
          .maxStringLength(MAX_STRING_CHARACTERS)
          .maxNestingDepth(MAX_DEPTH)
          .build();

  @SuppressWarnings("ImmutableEnumChecker") // JsonMapper is immutable once built.
  private final JsonMapper mapper;

  Json(PropertyNamingStrategy naming) {
    mapper =
        JsonMapper.builder()
            .propertyNamingStrategy(naming)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(
                LogicalType.Textual,
                texts ->
                    texts
                        .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .changeDefaultNullHandling(nulls -> nulls.withContentNulls(Nulls.FAIL))
            .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .changeDefaultPropertyInclusion(
                value -> value.withValueInclusion(JsonInclude.Include.NON_NULL))
            .build();
  }

  /// Reads a document.
  ///
  /// @throws JsonException when the bytes are not JSON or do not fit the type
  public <T> T read(byte[] json, Class<T> type) {
    return read(parserOf(WHOLE, from -> from.createParser(CONTEXT, json)), type);
  }

  /// Reads a document.
  ///
  /// @throws JsonException when the text is not JSON or does not fit the type
  public <T> T read(String json, Class<T> type) {
    return read(parserOf(WHOLE, from -> from.createParser(CONTEXT, json)), type);
  }

  /// Reads a document to the end of the stream, which stays open. The bytes of its one binary
  /// member, base64 in the text, go to a sink; the record gets an empty array for them. What is
  /// between the document's signs is counted, 8,192 at most, since each costs memory however short
  /// it is; names and other texts have at most 8,192 characters.
  ///
  /// @throws JsonException when the bytes are not JSON, do not fit the type, or are too many
  public <T> T read(InputStream json, Class<T> type, BinarySink sink) {
    BinaryDrain parser =
        new BinaryDrain(parserOf(STREAMED, from -> from.createParser(CONTEXT, json)), sink);
    try {
      return read(parser, type);
    } catch (JsonException e) {
      parser.rethrow();
      throw e;
    }
  }

  /// Reads an array of documents.
  ///
  /// @throws JsonException when the bytes are not a JSON array of the type
  public <T> List<T> readList(byte[] json, Class<T> element) {
    JavaType list = mapper.getTypeFactory().constructCollectionType(List.class, element);
    try (JsonParser parser = parserOf(WHOLE, from -> from.createParser(CONTEXT, json))) {
      return List.copyOf(read(parser, List.class, () -> mapper.<List<T>>readValue(parser, list)));
    }
  }

  /// Writes a document on one line, UTF-8.
  public byte[] write(Object document) {
    return mapper.writeValueAsBytes(document);
  }

  /// Writes a document on one line.
  public String writeText(Object document) {
    return mapper.writeValueAsString(document);
  }

  /// Writes a document for people to read, over several lines.
  public String writePretty(Object document) {
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(document);
  }

  /// Begins a document. Each has a factory of its own, since a factory keeps the names of all that
  /// it has read, and whoever writes them chooses them.
  private static JsonParser parserOf(
      StreamReadConstraints limits, Function<JsonFactory, JsonParser> document) {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(limits)
            .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
            .build();
    try {
      return document.apply(factory);
    } catch (JacksonException e) { // It looks at the first bytes.
      throw new JsonException("JSON: " + e.getOriginalMessage(), e);
    }
  }

  private <T> T read(JsonParser parser, Class<T> type) {
    try (parser) {
      return read(parser, type, () -> mapper.readValue(parser, type));
    }
  }

  /// While the parser is open: it knows what came.
  private static <T> T read(JsonParser parser, Class<?> type, Supplier<T> document) {
    try {
      T value = document.get();
      if (value == null) {
        throw Misfit.nothing(type);
      }
      if (parser.nextToken() != null) {
        throw Misfit.more(parser);
      }
      return value;
    } catch (JacksonException e) {
      throw Misfit.of(e, parser);
    }
  }
}
