package io.easyfaas.funclet.code;

import java.io.IOException;

/// An archive that is damaged or not allowed. The message goes on after "the code archive".
final class BadArchiveException extends IOException {
  BadArchiveException(String message) {
    super(message);
  }

  BadArchiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
