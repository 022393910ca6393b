package io.easyfaas.common.json;

/// A text that is not the JSON document it should be. The message says where and why.
public final class JsonException extends RuntimeException {
  JsonException(String message, Throwable cause) {
    super(message, cause);
  }
}
