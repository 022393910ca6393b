package io.easyfaas.funclet.cgroup;

import org.jspecify.annotations.Nullable;

/// A control group could not be made, changed or removed. The message names the file and the value.
public final class CgroupException extends RuntimeException {
  /// Creates the exception.
  public CgroupException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
