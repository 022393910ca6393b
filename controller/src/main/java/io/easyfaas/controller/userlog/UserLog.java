package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.controller.userlog.CallOutput.Source;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes what calls printed to files, off the event loop. Thread-safe.
///
/// One thread writes. What waits for it is bounded by number and by bytes; when it cannot keep up,
/// whole calls are dropped and counted: a slow disk must not slow calls down.
public final class UserLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UserLog.class);
  private static final int MAX_WAITING_CALLS = 4096;
  private static final long MAX_WAITING_BYTES = 64L << 20;
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final String JSON_FILE = "controller-userlog.log";

  /// One line of the JSON format; absent members are left out.
  private record JsonLine(
      String rid,
      String msg,
      String src,
      String brn,
      String func,
      String version,
      @Nullable String userid,
      String runtimeID,
      String triggerType,
      @Nullable Long invocationTime,
      @Nullable Long memoryUsage,
      @Nullable String invokeMode,
      @Nullable Integer responseStatus,
      String ts) {}

  private record Line(Source source, String text, long epochMillis) {}

  private final Path root;
  private final UserLogFormat format;
  private final ArrayBlockingQueue<CallOutput> queue = new ArrayBlockingQueue<>(MAX_WAITING_CALLS);
  private final AtomicLong waitingBytes = new AtomicLong();
  private final LongAdder dropped = new LongAdder();
  private final Thread writer;
  private volatile boolean closed;
  private boolean failing;

  /// Starts the writer.
  ///
  /// @param root directory of the files; made when the first call is written
  public UserLog(Path root, UserLogFormat format) {
    this.root = root;
    this.format = format;
    this.writer = Thread.ofPlatform().name("userlog").daemon().start(this::writeAll);
  }

  /// Has a call's output written some time later. Never blocks.
  ///
  /// @return false when it was dropped
  public boolean offer(CallOutput output) {
    long size = output.cost();
    if (closed || waitingBytes.addAndGet(size) > MAX_WAITING_BYTES) {
      waitingBytes.addAndGet(-size);
      dropped.increment();
      return false;
    }
    if (!queue.offer(output)) {
      waitingBytes.addAndGet(-size);
      dropped.increment();
      return false;
    }
    return true;
  }

  /// Calls whose output was dropped because the disk was too slow or failed.
  public long dropped() {
    return dropped.sum();
  }

  /// Writes what waits, at most for 5 s, and stops. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    try {
      if (!writer.join(CLOSE_WAIT)) {
        LOG.warn("userlog: {} calls were not written in {}", queue.size(), CLOSE_WAIT);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeAll() {
    try {
      while (true) {
        CallOutput next = queue.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
        if (next != null) {
          waitingBytes.addAndGet(-next.cost());
          writeOne(next);
        } else if (closed) {
          return;
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeOne(CallOutput output) {
    try {
      switch (format) {
        case PLAIN -> writePlain(output);
        case JSON -> writeJson(output);
      }
      failing = false;
    } catch (IOException e) {
      dropped.increment();
      if (!failing) {
        LOG.warn("userlog: {} (further failures are only counted)", e.toString());
      }
      failing = true;
    }
  }

  private void writePlain(CallOutput output) throws IOException {
    String version = output.function().version().replace("$", "");
    Path directory =
        root.resolve(
            fileName(output.function().uid() + "." + output.function().name() + "." + version));
    Files.createDirectories(directory);
    Path file = directory.resolve(output.startedNanos() + "." + fileName(output.requestId()));
    try (BufferedWriter text =
        Files.newBufferedWriter(
            file, UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (Line line : lines(output.chunks())) {
        Instant second = Instant.ofEpochMilli(line.epochMillis()).truncatedTo(ChronoUnit.SECONDS);
        text.write(second + "\t" + line.text() + "\n");
      }
    }
  }

  private void writeJson(CallOutput output) throws IOException {
    Files.createDirectories(root);
    try (BufferedWriter text =
        Files.newBufferedWriter(
            root.resolve(JSON_FILE), UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (Line line : lines(output.chunks())) {
        text.write(Json.CAMEL.writeText(jsonLine(output, line)));
        text.write('\n');
      }
    }
  }

  private static JsonLine jsonLine(CallOutput output, Line line) {
    boolean report = line.source() == Source.FAAS && line.text().startsWith("REPORT ");
    String uid = output.function().uid();
    return new JsonLine(
        output.requestId(),
        line.text(),
        line.source().wireName(),
        output.function().key().brn(),
        output.function().name(),
        output.function().version(),
        uid.isEmpty() ? null : uid,
        output.runtimeId(),
        output.trigger(),
        report ? output.startedNanos() : null,
        report ? 0L : null,
        report ? (output.concurrent() ? "concurrent" : "common") : null,
        report ? output.status() : null,
        DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
            Instant.ofEpochMilli(line.epochMillis()).atOffset(ZoneOffset.UTC)));
  }

  /// Cuts chunks into lines; a line may span chunks of one source. Empty lines are left out.
  private static List<Line> lines(List<CallOutput.Chunk> chunks) {
    List<Line> lines = new ArrayList<>();
    Map<Source, ByteArrayOutputStream> open = new EnumMap<>(Source.class);
    long last = 0;
    for (CallOutput.Chunk chunk : chunks) {
      ByteArrayOutputStream line =
          open.computeIfAbsent(chunk.source(), _ -> new ByteArrayOutputStream());
      if (chunk.source() == Source.FAAS) {
        endAll(open, lines, chunk.epochMillis());
      }
      for (byte b : chunk.text()) {
        if (b == '\n') {
          end(chunk.source(), line, lines, chunk.epochMillis());
        } else {
          line.write(b);
        }
      }
      last = chunk.epochMillis();
    }
    endAll(open, lines, last);
    return lines;
  }

  private static void endAll(
      Map<Source, ByteArrayOutputStream> open, List<Line> lines, long epochMillis) {
    open.forEach((source, line) -> end(source, line, lines, epochMillis));
  }

  private static void end(
      Source source, ByteArrayOutputStream line, List<Line> lines, long epochMillis) {
    String text = line.toString(UTF_8).stripTrailing();
    line.reset();
    if (!text.isEmpty()) {
      lines.add(new Line(source, text, epochMillis));
    }
  }

  /// A name that is one path segment whatever the caller sent.
  private static String fileName(String text) {
    String safe = text.replaceAll("[^A-Za-z0-9._-]", "_");
    return safe.startsWith(".") ? "_" + safe.substring(1) : safe;
  }
}
