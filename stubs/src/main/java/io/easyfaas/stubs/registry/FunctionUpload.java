package io.easyfaas.stubs.registry;

import io.easyfaas.stubs.store.StagedCode;
import org.jspecify.annotations.Nullable;

/// What a request says of a function: its settings, and its code on disk, which closing removes
/// unless a revision took it.
///
/// @param code absent when the request has none
record FunctionUpload(FunctionSettings settings, @Nullable StagedCode code)
    implements AutoCloseable {
  /// Whether the request says anything at all about the function.
  boolean isEmpty() {
    return code == null && settings.isEmpty();
  }

  @Override
  public void close() {
    if (code != null) {
      code.close();
    }
  }
}
