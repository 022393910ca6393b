package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.controller.userlog.Transcript.Source;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

/// Cuts a transcript into lines. A line may span runs of one source, and so may a character. The
/// engine's lines end those of the function. Not thread-safe.
final class LogLines implements Transcript.Reader {
  /// Takes one line.
  @FunctionalInterface
  interface Sink {
    /// Takes the next line.
    ///
    /// @param text without its end; may be empty
    /// @param epochMillis when its end arrived
    void line(Source source, String text, long epochMillis) throws IOException;
  }

  private final Sink sink;
  private final Map<Source, ByteArrayOutputStream> begun = new EnumMap<>(Source.class);

  private LogLines(Sink sink) {
    this.sink = sink;
  }

  /// Hands over every line, in the order of their ends.
  static void of(Transcript transcript, Sink sink) throws IOException {
    LogLines lines = new LogLines(sink);
    transcript.read(lines);
    lines.endAll(transcript.lastMillis());
  }

  @Override
  public void run(Source source, long epochMillis, byte[] bytes, int from, int to)
      throws IOException {
    if (source == Source.FAAS) {
      endAll(epochMillis);
    }
    ByteArrayOutputStream line = begun.computeIfAbsent(source, _ -> new ByteArrayOutputStream());
    int start = from;
    for (int at = from; at < to; at++) {
      if (bytes[at] == '\n') {
        line.write(bytes, start, at - start);
        end(source, line, epochMillis);
        start = at + 1;
      }
    }
    line.write(bytes, start, to - start);
  }

  private void endAll(long epochMillis) throws IOException {
    for (Map.Entry<Source, ByteArrayOutputStream> line : begun.entrySet()) {
      if (line.getValue().size() > 0) {
        end(line.getKey(), line.getValue(), epochMillis);
      }
    }
  }

  private void end(Source source, ByteArrayOutputStream line, long epochMillis) throws IOException {
    String text = line.toString(UTF_8);
    line.reset();
    sink.line(source, text, epochMillis);
  }
}
