package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.LogFiles.Appender;
import io.easyfaas.controller.userlog.Transcript.Source;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import org.jspecify.annotations.Nullable;

/// Writes the lines of one entry in one format, up to a limit; after that it counts the function's
/// lines and says how much was cut. Not thread-safe.
final class LineWriter implements LogLines.Sink {
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final DateTimeFormatter MILLIS =
      new DateTimeFormatterBuilder().appendInstant(3).toFormatter();

  /// One line of the JSON format; absent members are left out.
  private record JsonLine(
      @Nullable String rid,
      String msg,
      String src,
      String brn,
      String func,
      String version,
      @Nullable String userid,
      String runtimeID,
      @Nullable String triggerType,
      @Nullable Long invocationTime,
      @Nullable Long memoryUsage,
      @Nullable String invokeMode,
      @Nullable Integer responseStatus,
      String ts) {}

  private final UserLogEntry entry;
  private final UserLogFormat format;
  private final Appender file;
  private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
  private long room;
  private long cutBytes;
  private boolean hasBegun;

  /// @param maxBytes most that is written of the function's own lines
  LineWriter(UserLogEntry entry, UserLogFormat format, long maxBytes, Appender file) {
    this.entry = entry;
    this.format = format;
    this.file = file;
    this.room = maxBytes;
    this.cutBytes = entry.transcript().cutBytes();
  }

  /// Writes everything.
  ///
  /// @throws IOException when the file cannot be written; some lines may be
  void write() throws IOException {
    LogLines.of(entry.transcript(), this);
    sayWhatWasCut(entry.transcript().lastMillis());
    flush();
  }

  @Override
  public void line(Source source, String text, long epochMillis) throws IOException {
    if (source == Source.FAAS) {
      if (hasBegun) {
        sayWhatWasCut(epochMillis);
      }
      buffer.writeBytes(formatted(source, text, epochMillis));
    } else {
      hasBegun = true;
      if (room >= 0) {
        byte[] line = formatted(source, text, epochMillis);
        room -= line.length;
        if (room >= 0) {
          buffer.writeBytes(line);
        }
      }
      if (room < 0) { // From now on: one gap at the end, not many.
        cutBytes += text.getBytes(UTF_8).length + 1;
      }
    }
    if (buffer.size() >= BUFFER_BYTES) {
      flush();
    }
  }

  private void sayWhatWasCut(long epochMillis) {
    if (cutBytes > 0) {
      String text = "CUT " + cutBytes + " more bytes of output are not kept";
      buffer.writeBytes(formatted(Source.FAAS, text, epochMillis));
      cutBytes = 0;
    }
  }

  private void flush() throws IOException {
    file.append(ByteBuffer.wrap(buffer.toByteArray()));
    buffer.reset();
  }

  private byte[] formatted(Source source, String text, long epochMillis) {
    Instant time = Instant.ofEpochMilli(epochMillis);
    String line =
        switch (format) {
          case PLAIN -> MILLIS.format(time) + "\t" + requestId() + "\t" + text;
          case JSON -> Json.CAMEL.writeText(jsonLine(source, text, time));
        };
    return (line + "\n").getBytes(UTF_8);
  }

  private String requestId() {
    return switch (entry) {
      case CallOutput call -> call.requestId();
      case FunctionOutput _ -> "-";
    };
  }

  private JsonLine jsonLine(Source source, String text, Instant time) {
    ResolvedFunction function = entry.function();
    @Nullable CallOutput call = entry instanceof CallOutput output ? output : null;
    @Nullable CallOutput report = source == Source.FAAS && text.startsWith("REPORT ") ? call : null;
    return new JsonLine(
        call == null ? null : call.requestId(),
        text,
        source.wireName(),
        function.key().brn(),
        function.name(),
        function.version(),
        function.uid().isEmpty() ? null : function.uid(),
        entry.runtimeId(),
        call == null ? null : call.trigger(),
        report == null ? null : report.startedNanos(),
        report == null ? null : 0L,
        report == null ? null : (report.concurrent() ? "concurrent" : "common"),
        report == null ? null : report.status(),
        DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(time.atOffset(ZoneOffset.UTC)));
  }
}
