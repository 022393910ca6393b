package io.easyfaas.common.invoke;

import io.easyfaas.common.wire.ApiException;

/// Why there is no answer, or not all of it: by whose fault, which decides what is told, what is
/// counted and whether another try makes sense.
public sealed interface CallFailure {
  /// A failure that is told in the engine's words.
  sealed interface Told extends CallFailure permits ByCaller, NotYet, ByEngine {
    /// What to tell.
    ApiException why();
  }

  /// The call cannot be made as it is, now or later.
  record ByCaller(ApiException why) implements Told {}

  /// Nothing was done. Another try makes sense where {@link ApiException#retryAfter()} says so.
  record NotYet(ApiException why) implements Told {}

  /// The engine failed. What the function did is not known.
  record ByEngine(ApiException why) implements Told {}

  /// The function failed when its answer had begun; before that it is {@link CallSink#answered}.
  ///
  /// @param receipt with the log, if that was asked for
  /// @param error the error object, see protocol.md §6
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record ByFunction(Receipt receipt, byte[] error) implements CallFailure {}

  /// The failure that an exception stands for.
  static Told of(ApiException why) {
    return switch (why.code().fault()) {
      case CALLER -> new ByCaller(why);
      case NOBODY_YET -> new NotYet(why);
      case ENGINE -> new ByEngine(why);
    };
  }
}
