package io.easyfaas.controller.engine;

import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.wire.HeaderBlock;

/// What goes with an event, as INVOKE has it, see protocol.md §5. Pure.
final class CarriedHeaders {
  private CarriedHeaders() {}

  /// The header block.
  ///
  /// @throws IllegalArgumentException when it becomes too long
  static byte[] encode(CallHeaders carried) {
    return carried.equals(CallHeaders.NONE)
        ? HeaderBlock.NONE
        : new HeaderBlock()
            .add(HeaderBlock.Name.TRACE_PARENT, carried.traceparent())
            .add(HeaderBlock.Name.TRACE_STATE, carried.tracestate())
            .add(HeaderBlock.Name.CLIENT_CONTEXT, carried.clientContext())
            .encode();
  }
}
