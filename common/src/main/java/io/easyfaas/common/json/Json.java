package io.easyfaas.common.json;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.InputStream;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.PropertyNamingStrategy;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Reads and writes JSON documents as records, in one of two spellings.
///
/// Record components are written in declaration order; null components are left out unless the
/// record says otherwise; unknown members are ignored when reading. Thread-safe.
public enum Json {
  /// Members spelt as the components are: `errorMessage`. For frames and function errors.
  CAMEL(PropertyNamingStrategies.LOWER_CAMEL_CASE),
  /// Members in upper camel case: `FunctionName`. For the engine's documents.
  PASCAL(PropertyNamingStrategies.UPPER_CAMEL_CASE);

  // A function's whole answer as one text, and some room. Code goes through a sink.
  private static final int MAX_STRING_CHARACTERS = 8 * 1024 * 1024;

  @SuppressWarnings("ImmutableEnumChecker") // JsonMapper is immutable once built.
  private final JsonMapper mapper;

  Json(PropertyNamingStrategy naming) {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxStringLength(MAX_STRING_CHARACTERS)
                    .maxNestingDepth(200)
                    .build())
            .build();
    mapper =
        JsonMapper.builder(factory)
            .propertyNamingStrategy(naming)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .changeDefaultPropertyInclusion(
                value -> value.withValueInclusion(JsonInclude.Include.NON_NULL))
            .build();
  }

  /// Reads a document.
  ///
  /// @throws JsonException when the bytes are not JSON or do not fit the type
  public <T> T read(byte[] json, Class<T> type) {
    try {
      return notNull(mapper.readValue(json, type), type);
    } catch (JacksonException e) {
      throw failure(type, e);
    }
  }

  /// Reads a document.
  ///
  /// @throws JsonException when the text is not JSON or does not fit the type
  public <T> T read(String json, Class<T> type) {
    try {
      return notNull(mapper.readValue(json, type), type);
    } catch (JacksonException e) {
      throw failure(type, e);
    }
  }

  /// Reads a document to the end of the stream, which stays open.
  ///
  /// @throws JsonException when the bytes are not JSON or do not fit the type
  public <T> T read(InputStream json, Class<T> type) {
    try {
      return notNull(mapper.readValue(json, type), type);
    } catch (JacksonException e) {
      throw failure(type, e);
    }
  }

  /// Reads a document to the end of the stream, which stays open. The bytes of its one binary
  /// member, base64 in the text, go to a sink; the record gets an empty array for them.
  ///
  /// @throws JsonException when the bytes are not JSON or do not fit the type
  public <T> T read(InputStream json, Class<T> type, BinarySink sink) {
    try (BinaryDrain parser = new BinaryDrain(mapper.createParser(json), sink)) {
      try {
        return notNull(mapper.readValue(parser, type), type);
      } catch (JacksonException e) {
        parser.rethrow();
        throw failure(type, e);
      }
    }
  }

  /// Reads an array of documents.
  ///
  /// @throws JsonException when the bytes are not a JSON array of the type
  public <T> List<T> readList(byte[] json, Class<T> element) {
    try {
      List<T> list =
          mapper.readValue(
              json, mapper.getTypeFactory().constructCollectionType(List.class, element));
      return List.copyOf(notNull(list, List.class));
    } catch (JacksonException e) {
      throw failure(element, e);
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

  private static <T> T notNull(T value, Class<?> type) {
    if (value == null) {
      throw new JsonException(
          "JSON: null (expected: " + type.getSimpleName() + ")", new NullPointerException());
    }
    return value;
  }

  private static JsonException failure(Class<?> type, JacksonException e) {
    var at = e.getLocation();
    boolean known = at != null && at.getLineNr() > 0;
    String where = known ? " at line " + at.getLineNr() + ", column " + at.getColumnNr() : "";
    return new JsonException(
        "JSON: "
            + member(e)
            + e.getOriginalMessage()
            + where
            + " (expected: "
            + type.getSimpleName()
            + ")",
        e);
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
}
