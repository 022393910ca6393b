package io.easyfaas.controller.userlog;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.Transcript.Source;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What one sandbox prints that belongs to no call, on its way to the user log. Thread-safe: filled
/// by the runner's event loop, emptied by the user log's writer now and then, so that who prints
/// without end takes one entry at a time. What is more than 64 KiB meanwhile is counted and left
/// out.
public final class LooseOutput {
  private static final int MAX_BYTES = 64 * 1024;
  // An unfinished line is not waited for any longer.
  private static final long LINE_PATIENCE_MILLIS = 1000;

  private final ResolvedFunction function;
  private final String runtimeId;
  private final Consumer<LooseOutput> onEnd;

  @GuardedBy("this")
  private Transcript transcript = new Transcript(MAX_BYTES);

  @GuardedBy("this")
  private long firstMillis;

  @GuardedBy("this")
  private boolean isEmpty = true;

  @GuardedBy("this")
  private boolean endsWithNewline;

  /// @param onEnd hears of {@link #end}
  LooseOutput(ResolvedFunction function, String runtimeId, Consumer<LooseOutput> onEnd) {
    this.function = function;
    this.runtimeId = runtimeId;
    this.onEnd = onEnd;
  }

  /// Adds text.
  ///
  /// @param text UTF-8; its position does not change
  public synchronized void add(Source source, ByteBuffer text, long epochMillis) {
    if (text.hasRemaining() && function.keepsUserLog()) {
      firstMillis = isEmpty ? epochMillis : firstMillis;
      isEmpty = false;
      endsWithNewline = text.get(text.limit() - 1) == '\n';
      transcript.add(source, text, epochMillis);
    }
  }

  /// Nothing more will come. Safe to call twice.
  public void end() {
    onEnd.accept(this);
  }

  /// Takes what is there, when its last line is whole or has been waited for long enough.
  synchronized @Nullable FunctionOutput take(long epochMillis) {
    boolean isDue = endsWithNewline || epochMillis - firstMillis >= LINE_PATIENCE_MILLIS;
    return isDue ? takeAll() : null;
  }

  /// Takes what is there; null when there is nothing.
  synchronized @Nullable FunctionOutput takeAll() {
    if (isEmpty) {
      return null;
    }
    FunctionOutput taken = new FunctionOutput(function, runtimeId, transcript);
    transcript = new Transcript(MAX_BYTES);
    isEmpty = true;
    return taken;
  }
}
