package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.RunnerExit;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/// One call on its way through a runner. All methods but {@link #requestId} and {@link #takeEvent}
/// are called on the runner's event loop; after one of `answered`, `timedOut` and `lost` none is
/// called again.
public interface RunnerCall {
  /// The request id's ASCII bytes, at most 128. The caller does not change them.
  byte[] requestId();

  /// The event, whose ownership passes to the caller. Called once.
  ByteBuf takeEvent();

  /// The call wrote something to stdout or stderr.
  ///
  /// @param text UTF-8; valid until the method returns
  void logged(boolean stderr, ByteBuf text);

  /// The runner answered.
  ///
  /// @param failed whether the payload is an error object
  /// @param payload valid until the method returns, unless retained
  void answered(boolean failed, ByteBuf payload);

  /// The function's time is over. The runner may still be busy with the call.
  void timedOut();

  /// The runner ended before it answered. Called on any thread.
  ///
  /// @param exit how it ended, if that is known
  void lost(Optional<RunnerExit> exit);
}
