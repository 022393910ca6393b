package io.easyfaas.common.invoke;

import io.netty.buffer.ByteBuf;

/// Hears what becomes of one call: either `answered`, or `began`, any number of `part` and `ended`;
/// `failed` comes instead of either, or half-way through the second.
///
/// Called by one thread at a time, not always the same. Must not block.
public interface CallSink {
  /// How many bytes of a stream may be on their way to a sink that has not taken them.
  int WINDOW_BYTES = 256 * 1024;

  /// Whether an answer may come in parts. Asked once; if not, it comes whole.
  default boolean takesParts() {
    return true;
  }

  /// The whole answer, or the error object of a function that failed.
  ///
  /// @param answer valid until the method returns, unless retained
  void answered(Receipt receipt, ByteBuf answer);

  /// An answer begins that comes in parts.
  void began(AnswerHead head);

  /// The next bytes of an answer that has begun. See {@link Call#taken}.
  ///
  /// @param bytes valid until the method returns, unless retained
  void part(ByteBuf bytes);

  /// The answer that has begun is complete.
  void ended(Receipt receipt);

  /// There is no answer, or no more of it.
  void failed(CallFailure failure);
}
