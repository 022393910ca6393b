package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;

/// The log of a function, for what the processes of one sandbox print and no call can be named for:
/// while the function is loaded, between calls, or while several run. Called on the runner's event
/// loop.
public interface FunctionLog {
  /// Something was printed.
  ///
  /// @param text UTF-8; valid until the method returns
  void printed(boolean stderr, ByteBuf text);

  /// Nothing more will come. Called once.
  void ended();
}
