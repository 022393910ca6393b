package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.json.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// A document of settings with the code in it, in base64, as it is read: for settings that are too
/// long to go beside a zip.
final class CodeDocument {
  private static final int BLOCK_BYTES =
      3 * 16 * 1024; // A multiple of what four letters stand for.

  private CodeDocument() {}

  /// The document as a body that is read once.
  ///
  /// @param settings without the code
  /// @param zip read to its end, and closed with the body
  /// @param size of the zip, in bytes
  static HttpBody of(Map<String, Object> settings, InputStream zip, long size) {
    String document = Json.PASCAL.writeText(settings);
    String before =
        document.substring(0, document.length() - 1)
            + (settings.isEmpty() ? "" : ",")
            + "\"Code\":\"";
    byte[] head = before.getBytes(UTF_8);
    byte[] tail = "\"}".getBytes(UTF_8);
    InputStream all =
        new SequenceInputStream(
            Collections.enumeration(
                List.of(
                    new ByteArrayInputStream(head),
                    new Encoded(zip),
                    new ByteArrayInputStream(tail))));
    return new HttpBody.Stream(all, head.length + (size + 2) / 3 * 4 + tail.length);
  }

  /// What another stream has, in base64. Not thread-safe.
  private static final class Encoded extends InputStream {
    private final InputStream source;
    private byte[] block = {};
    private int position;

    Encoded(InputStream source) {
      this.source = source;
    }

    @Override
    public int read() throws IOException {
      return fill() ? block[position++] : -1;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (!fill()) {
        return -1;
      }
      int count = Math.min(length, block.length - position);
      System.arraycopy(block, position, into, offset, count);
      position += count;
      return count;
    }

    @Override
    public void close() throws IOException {
      source.close();
    }

    private boolean fill() throws IOException {
      if (position == block.length) {
        block = Base64.getEncoder().encode(source.readNBytes(BLOCK_BYTES));
        position = 0;
      }
      return block.length > 0;
    }
  }
}
