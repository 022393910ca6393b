package io.easyfaas.controller.runtime;

import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.wire.HeaderBlock;
import io.easyfaas.common.wire.RunnerExit;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/// One call on its way through a runner. All methods are called on the runner's event loop, `lost`
/// and `isAbandoned` on any thread; after one of `answered`, `timedOut`, `failed` and `lost` none
/// is called again, but `failed` after another that threw.
///
/// An answer is whole, which is `answered`, or comes in parts: `began`, any number of `part`, and
/// `answered` with nothing, or with an error object when it broke off. How much may come is what
/// the call says it has taken, see {@link Runner#taken}. A `began` or `part` that throws is the
/// last; at the end of the answer comes `failed` then.
public interface RunnerCall {
  /// The request id's ASCII bytes, at most 128. The caller does not change them.
  byte[] requestId();

  /// The event, whose ownership passes to the caller. Called once, when the call is sent.
  ByteBuf takeEvent();

  /// Whether nobody waits for it any more: true before {@link Runner#cancel} is called. Any thread.
  boolean isAbandoned();

  /// What goes with the event, as {@link io.easyfaas.common.wire.HeaderBlock} encodes it. The
  /// caller does not change the bytes.
  default byte[] headers() {
    return HeaderBlock.NONE;
  }

  /// Whether the answer may come in parts. Does not change.
  default boolean takesParts() {
    return false;
  }

  /// An answer in parts begins.
  ///
  /// @param head what the runner says of it, see protocol.md §5
  default void began(AnswerHead head) {
    throw new IllegalStateException("a call that takes whole answers only");
  }

  /// The next bytes of an answer that has begun.
  ///
  /// @param bytes valid until the method returns, unless retained
  default void part(ByteBuf bytes) {
    throw new IllegalStateException("a call that takes whole answers only");
  }

  /// The call wrote something to stdout or stderr.
  ///
  /// @param text UTF-8; valid until the method returns
  void logged(boolean stderr, ByteBuf text);

  /// The runner answered, or ended an answer that came in parts.
  ///
  /// @param failed whether the payload is an error object
  /// @param payload valid until the method returns, unless retained
  void answered(boolean failed, ByteBuf payload);

  /// The function's time is over. The runner may still be busy with the call.
  void timedOut();

  /// The engine could not send the call, or could not take its answer. Neither the function nor its
  /// runner is to blame.
  void failed(Throwable cause);

  /// The runner ended before it answered, or before it was sent the call, whose event was not taken
  /// then. Called on any thread.
  ///
  /// @param exit how it ended, if that is known
  void lost(Optional<RunnerExit> exit);
}
