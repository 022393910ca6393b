package io.easyfaas.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import io.easyfaas.common.log.PlainText;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/// The line of one event: `2026-01-31T23:59:59.123Z INFO SlotPool: what happened`. A failure's
/// stack follows on lines that start with a tab or with what caused it. Whatever a tenant may have
/// said in a message or in a failure stays in its line. Pure.
final class LogLine {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSX").withZone(ZoneOffset.UTC);

  private LogLine() {}

  /// The whole text of an event, with its end.
  static String of(ILoggingEvent event) {
    String logger = event.getLoggerName();
    StringBuilder line = new StringBuilder(128);
    line.append(TIME.format(Instant.ofEpochMilli(event.getTimeStamp()))).append(' ');
    line.append(event.getLevel());
    line.repeat(' ', Math.max(0, "ERROR".length() - event.getLevel().levelStr.length()));
    line.append(' ').append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
    line.append(PlainText.of(event.getFormattedMessage())).append('\n');
    if (event.getThrowableProxy() != null) {
      append(line, event.getThrowableProxy(), "", 0);
    }
    return line.toString();
  }

  private static void append(
      StringBuilder text, IThrowableProxy failure, String caption, int depth) {
    text.repeat('\t', depth).append(caption).append(failure.getClassName());
    @Nullable String message = failure.getMessage();
    if (message != null) {
      text.append(": ").append(PlainText.of(message));
    }
    text.append('\n');
    StackTraceElementProxy[] frames = failure.getStackTraceElementProxyArray();
    int own = frames.length - failure.getCommonFrames();
    for (int i = 0; i < own; i++) {
      text.repeat('\t', depth + 1).append(PlainText.of(frames[i].getSTEAsString())).append('\n');
    }
    if (failure.getCommonFrames() > 0) {
      text.repeat('\t', depth + 1)
          .append("... ")
          .append(failure.getCommonFrames())
          .append(" more\n");
    }
    for (IThrowableProxy suppressed : failure.getSuppressed()) {
      append(text, suppressed, "Suppressed: ", depth + 1);
    }
    if (failure.getCause() != null && !failure.isCyclic()) {
      append(text, failure.getCause(), "Caused by: ", depth);
    }
  }
}
