package io.easyfaas.funclet.code;

import java.time.Duration;

/// How slowly code may come: for so long anything may happen, then so much has to have come, or
/// been done, for every second.
///
/// @param patience for code of any size
/// @param bytesPerSecond of the archive, at least 1
public record CodePace(Duration patience, long bytesPerSecond) {
  /// The time a number of bytes may take.
  public Duration time(long bytes) {
    return patience.plusNanos((long) (bytes * 1e9 / bytesPerSecond));
  }
}
