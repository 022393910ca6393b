package io.easyfaas.stubs.store;

import io.easyfaas.common.wire.ErrorCode;
import org.jspecify.annotations.Nullable;

/// The function directory cannot be used, read or written. The message names what was tried.
/// Whatever failed, each function is stored as it was before or as it was to be.
public final class StoreException extends RuntimeException {
  private final ErrorCode code;

  StoreException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /// What to tell the caller: {@link ErrorCode#UNAVAILABLE} when trying again later can help, else
  /// {@link ErrorCode#SERVICE}.
  public ErrorCode code() {
    return code;
  }
}
