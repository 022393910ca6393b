package io.easyfaas.common.json;

import org.jspecify.annotations.Nullable;

/// A text that is not the JSON document it should be. The message says where and why.
public final class JsonException extends RuntimeException {
  JsonException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
