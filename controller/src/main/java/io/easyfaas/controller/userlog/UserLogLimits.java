package io.easyfaas.controller.userlog;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;

/// How much of the disk user logs may take.
///
/// @param call most that one call writes
/// @param file size at which a function's file is put aside and a new one begun
/// @param files that are kept of one function
/// @param total of all functions, in blocks of the file system
public record UserLogLimits(ByteSize call, ByteSize file, int files, ByteSize total) {
  /// Checks that one function's files fit.
  ///
  /// @throws ConfigException naming the settings
  public UserLogLimits {
    if (call.bytes() == 0 || file.bytes() == 0 || files < 1) {
      throw new ConfigException(
          "--userlog-call-size: " + call + ", --userlog-file-size: " + file + " (expected: > 0)");
    }
    if (file.bytes() > total.bytes() / files) {
      throw new ConfigException(
          "--userlog-total-size: "
              + total
              + " (expected: at least --userlog-files times --userlog-file-size, "
              + files
              + " times "
              + file
              + ")");
    }
  }
}
