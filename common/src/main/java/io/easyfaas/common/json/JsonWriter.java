package io.easyfaas.common.json;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/// Writes one JSON document member by member, UTF-8, for what is too large to be made as a whole:
/// texts are escaped and bytes encoded on their way, a few KiB at a time. What the stream throws
/// comes out as the cause of an unchecked exception. Not thread-safe.
public final class JsonWriter implements AutoCloseable {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

  private final JsonGenerator generator;

  /// Begins a document that is an object.
  ///
  /// @param out stays open
  public JsonWriter(OutputStream out) {
    generator = FACTORY.createGenerator(ObjectWriteContext.empty(), out);
    generator.writeStartObject();
  }

  /// Begins a member that is an object.
  public JsonWriter object(String name) {
    generator.writeName(name);
    generator.writeStartObject();
    return this;
  }

  /// Ends the object that was begun last.
  public JsonWriter end() {
    generator.writeEndObject();
    return this;
  }

  /// Adds a text.
  public JsonWriter text(String name, String value) {
    generator.writeName(name);
    generator.writeString(value);
    return this;
  }

  /// Adds a text that is read to its end.
  public JsonWriter text(String name, Reader value) {
    generator.writeName(name);
    generator.writeString(value, -1);
    return this;
  }

  /// Adds a text that somebody else writes to the stream.
  ///
  /// @param value writes UTF-8 of which nothing needs to be escaped, while everything before it is
  ///   in the stream
  public JsonWriter text(String name, Runnable value) {
    generator.writeName(name);
    generator.writeRawValue("\"");
    generator.flush();
    value.run();
    generator.writeRaw('"');
    return this;
  }

  /// Adds bytes as base64.
  ///
  /// @param length of all that can be read
  public JsonWriter base64(String name, InputStream bytes, int length) {
    generator.writeName(name);
    generator.writeBinary(bytes, length);
    return this;
  }

  /// Adds yes or no.
  public JsonWriter flag(String name, boolean value) {
    generator.writeName(name);
    generator.writeBoolean(value);
    return this;
  }

  /// Adds an object of texts.
  public JsonWriter texts(String name, Map<String, String> members) {
    object(name);
    members.forEach(this::text);
    return end();
  }

  /// Ends the document. Safe to call twice.
  @Override
  public void close() {
    generator.close();
  }
}
