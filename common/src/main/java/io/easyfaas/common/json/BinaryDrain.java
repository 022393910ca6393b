package io.easyfaas.common.json;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.Base64Variant;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.util.JsonParserDelegate;

/// Reads a document whose one binary member may be larger than the memory: its bytes go to a sink
/// as they are decoded, and the record gets an empty array in their place. Not thread-safe.
final class BinaryDrain extends JsonParserDelegate {
  private static final byte[] ELSEWHERE = {};

  private final BinarySink sink;
  private @Nullable RuntimeException failure;
  private boolean used;

  BinaryDrain(JsonParser parser, BinarySink sink) {
    super(parser);
    this.sink = sink;
  }

  @Override
  public byte[] getBinaryValue(Base64Variant variant) {
    try {
      if (used) {
        throw new JsonException(
            "JSON: " + delegate.currentName() + ": twice (expected: once)", null);
      }
      used = true;
      drain(variant);
      return ELSEWHERE;
    } catch (RuntimeException e) {
      failure = e; // Databind tells what it was reading then; what happened is told here.
      throw e;
    }
  }

  private void drain(Base64Variant variant) {
    try {
      delegate.readBinaryValue(variant, sink.open());
    } catch (IOException e) {
      throw new JsonException("JSON: binary member: " + e.getMessage(), e);
    } catch (JacksonException e) {
      throw new JsonException(
          "JSON: " + delegate.currentName() + ": " + e.getOriginalMessage() + " (expected: base64)",
          e);
    }
  }

  /// Throws again what the sink threw, if it did.
  void rethrow() {
    RuntimeException thrown = failure;
    if (thrown != null) {
      throw thrown;
    }
  }
}
