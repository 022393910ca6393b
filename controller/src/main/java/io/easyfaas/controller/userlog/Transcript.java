package io.easyfaas.controller.userlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// What a call or a function printed, in order of arrival, and when: never more than a given amount
/// of memory, however small the pieces are. What does not fit is counted and left out, the
/// beginning is kept.
///
/// Not thread-safe: filled by one thread, then handed to another.
public final class Transcript {
  private static final int FIRST_BYTES = 256;
  private static final int FIRST_RUNS = 4;
  private static final int RUN_BYTES = 16; // An end, a time and a reference.

  /// Who wrote.
  public enum Source {
    /// The engine: START, END and REPORT lines.
    FAAS("faas"),
    /// The function's standard output.
    STDOUT("stdout"),
    /// The function's standard error.
    STDERR("stderr");

    private final String wireName;

    Source(String wireName) {
      this.wireName = wireName;
    }

    /// The name in JSON lines.
    public String wireName() {
      return wireName;
    }
  }

  /// Takes the runs of a transcript, one after the other.
  @FunctionalInterface
  interface Reader {
    /// Some text from one source at one time: UTF-8, any number of lines, which may begin in an
    /// earlier run and end in a later one.
    ///
    /// @param bytes the run's are those from `from` to before `to`
    void run(Source source, long epochMillis, byte[] bytes, int from, int to) throws IOException;
  }

  private final int maxBytes;
  // Pieces of one source in one millisecond are one run: 16 bytes for each of them, not for each
  // piece, which may be a single byte.
  private byte[] text = new byte[FIRST_BYTES];
  private int[] ends = new int[FIRST_RUNS];
  private long[] times = new long[FIRST_RUNS];
  private Source[] sources = new Source[FIRST_RUNS];
  private int textBytes;
  private int runCount;
  private long cutBytes;

  /// An empty transcript.
  ///
  /// @param maxBytes of memory for what the function prints, give or take some hundred bytes
  public Transcript(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  /// Adds what fits of a function's output, or all of the engine's own lines.
  ///
  /// @param piece UTF-8; its position does not change
  public void add(Source source, ByteBuffer piece, long epochMillis) {
    if (!piece.hasRemaining()) {
      return;
    }
    boolean isNewRun = !continuesRun(source, epochMillis);
    int room =
        source == Source.FAAS
            ? piece.remaining()
            : Math.max(0, maxBytes - textBytes - RUN_BYTES * (runCount + (isNewRun ? 1 : 0)));
    int taken = cutBytes > 0 && source != Source.FAAS ? 0 : whole(piece, room);
    cutBytes += piece.remaining() - taken;
    if (taken == 0) {
      return;
    }
    if (isNewRun) {
      startRun(source, epochMillis);
    }
    if (textBytes + taken > text.length) {
      text = Arrays.copyOf(text, Math.max(textBytes + taken, grown(text.length)));
    }
    piece.get(piece.position(), text, textBytes, taken);
    textBytes += taken;
    ends[runCount - 1] = textBytes;
  }

  /// Counts output that could not even be added. Nothing of the function's is added after it.
  public void leaveOut(int bytes) {
    cutBytes += bytes;
  }

  /// Bytes of memory it takes.
  public int memoryBytes() {
    return text.length + ends.length * RUN_BYTES;
  }

  /// Bytes the function printed that are not here.
  public long cutBytes() {
    return cutBytes;
  }

  /// When the last of it arrived; 0 when there is nothing.
  long lastMillis() {
    return runCount == 0 ? 0 : times[runCount - 1];
  }

  /// Hands over everything, in order.
  void read(Reader reader) throws IOException {
    int from = 0;
    for (int run = 0; run < runCount; run++) {
      reader.run(sources[run], times[run], text, from, ends[run]);
      from = ends[run];
    }
  }

  private boolean continuesRun(Source source, long epochMillis) {
    int last = runCount - 1;
    return last >= 0 && times[last] == epochMillis && sources[last] == source;
  }

  private void startRun(Source source, long epochMillis) {
    if (runCount == ends.length) {
      ends = Arrays.copyOf(ends, 2 * runCount);
      times = Arrays.copyOf(times, 2 * runCount);
      sources = Arrays.copyOf(sources, 2 * runCount);
    }
    times[runCount] = epochMillis;
    sources[runCount] = source;
    runCount++;
  }

  /// How many bytes of a piece are taken: all, or as fit without cutting a character in two.
  private static int whole(ByteBuffer piece, int room) {
    if (room >= piece.remaining()) {
      return piece.remaining();
    }
    int end = room;
    while (end > 0 && (piece.get(piece.position() + end) & 0xC0) == 0x80) {
      end--; // It is within a character.
    }
    return end;
  }

  private int grown(int length) {
    return Math.min(2 * length, maxBytes);
  }
}
