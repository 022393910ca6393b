package io.easyfaas.common.zip;

import java.io.IOException;

/// An archive that is damaged or not allowed. The message goes on after what the archive is called:
/// "has the encrypted entry …".
public final class BadZipException extends IOException {
  BadZipException(String message) {
    super(message);
  }

  BadZipException(String message, Throwable cause) {
    super(message, cause);
  }
}
