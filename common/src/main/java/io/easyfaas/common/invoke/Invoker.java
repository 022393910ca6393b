package io.easyfaas.common.invoke;

import java.util.Optional;

/// Calls functions. Thread-safe; but for {@link #unready} nothing here blocks.
@FunctionalInterface
public interface Invoker {
  /// Begins a call.
  ///
  /// The sink is told exactly one end: a whole answer, the end of a stream, or a failure; a
  /// cancelled call may end without a word. It may be told before this returns.
  ///
  /// @param request its event belongs to the invoker from now on
  /// @param sink hears what becomes of the call
  /// @return the caller's hold on the call
  Call invoke(CallRequest request, CallSink sink);

  /// Why calls had better go elsewhere, for who asks whether it is ready. Blocks for 2 s at most.
  ///
  /// @return empty when they need not
  default Optional<String> unready() {
    return Optional.empty();
  }
}
