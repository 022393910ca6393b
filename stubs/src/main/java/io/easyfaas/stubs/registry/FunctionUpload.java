package io.easyfaas.stubs.registry;

import io.easyfaas.stubs.store.StagedCode;
import org.jspecify.annotations.Nullable;

/// What a request says of a function: its settings, and its code on disk, which closing removes
/// unless a revision took it, with its room among the uploads.
///
/// @param code absent when the request has none
/// @param place absent when there is no code
record FunctionUpload(
    FunctionSettings settings, @Nullable StagedCode code, UploadRoom.@Nullable Place place)
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
    if (place != null) {
      place.close();
    }
  }
}
