package io.easyfaas.common.http;

import io.easyfaas.common.config.Durations;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Judges how a client gets on with what it sends or takes: in each window by a little, and by much
/// more in each short one while others wait for what it keeps from them. Looked at once a short
/// window. Confined to the connection's event loop.
final class Pace {
  private final long step;
  private final Duration window;
  private final Duration shortWindow;
  private final int looksInAWindow;
  private long atLastLook;
  private long atStart;
  private int looks;
  private long ahead;

  /// @param window in which a client must get on by {@link Deadlines#MIN_BYTES_PER_SECOND}
  /// @param patience how soon one must be found who keeps the others waiting
  /// @param step bytes by which one who is fast enough may be late, because it sends so many at
  ///   once
  Pace(Duration window, Duration patience, long step) {
    this.step = step;
    this.window = window;
    this.shortWindow = window.compareTo(patience) < 0 ? window : patience;
    this.looksInAWindow = Math.toIntExact(Math.max(1, window.toNanos() / shortWindow.toNanos()));
  }

  /// The time from look to look.
  long millis() {
    return shortWindow.toMillis();
  }

  /// Judges from now on.
  ///
  /// @param total bytes so far
  void start(long total) {
    atStart = total;
    atLastLook = total;
    looks = 0;
    ahead = step;
  }

  /// Judges from now on, and lets pass what was since the last look: that it was little was not the
  /// client's doing. What it was late before it is still, but for what it has gained.
  ///
  /// @param total bytes so far
  void goOn(long total) {
    gain(total, false);
    atStart = total;
    looks = 0;
  }

  /// A short window has passed in which the client could get on.
  ///
  /// @param total bytes so far
  /// @param isShort whether others wait
  /// @return what there was and what was expected, for people; null when it is fast enough
  @Nullable String slowness(long total, boolean isShort) {
    long sinceLook = total - atLastLook;
    gain(total, isShort);
    if (ahead < 0) {
      return text(sinceLook, shortWindow, wantedWhenShort());
    }
    if (++looks < looksInAWindow) {
      return null;
    }
    long sinceStart = total - atStart;
    atStart = total;
    looks = 0;
    long expected = Deadlines.minBytes(window);
    return sinceStart < expected ? text(sinceStart, window, expected) : null;
  }

  private void gain(long total, boolean isShort) {
    long gain = total - atLastLook - wantedWhenShort();
    ahead = Math.min(step, ahead + (isShort ? gain : Math.max(0, gain)));
    atLastLook = total;
  }

  private long wantedWhenShort() {
    return Deadlines.minBytes(shortWindow) * Deadlines.TIMES_WHEN_SHORT;
  }

  private static String text(long bytes, Duration time, long expected) {
    return bytes + " bytes in " + Durations.text(time) + " (expected: at least " + expected + ")";
  }
}
