package io.easyfaas.stubs.store;

import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The function directory cannot be used, read or written. The message names what was tried.
/// Whatever failed, each function is stored as it was before or as it was to be.
public final class StoreException extends RuntimeException {
  private final ErrorCode code;

  StoreException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /// The failure of something that was tried in the function directory.
  ///
  /// @param bytesWanted how much it was to write; 0 when nothing
  static StoreException of(String what, Path directory, IOException cause, long bytesWanted) {
    return isOutOfSpace(directory, cause, bytesWanted)
        ? new StoreException(ErrorCode.UNAVAILABLE, what + ": no space left in " + directory, cause)
        : new StoreException(ErrorCode.SERVICE, what + ": " + cause, cause);
  }

  /// Java passes ENOSPC and EDQUOT on as text only, which the C library may have translated; then
  /// the free space tells.
  private static boolean isOutOfSpace(Path directory, IOException cause, long bytesWanted) {
    String text =
        cause instanceof FileSystemException e && e.getReason() != null
            ? e.getReason()
            : String.valueOf(cause.getMessage());
    if (text.contains("No space left") || text.contains("quota exceeded")) {
      return true;
    }
    try {
      return bytesWanted > 0 && Files.getFileStore(directory).getUsableSpace() < bytesWanted;
    } catch (IOException _) {
      return false; // The failure itself is reported.
    }
  }

  /// Whether it could succeed if less of the disk were taken.
  boolean isForWantOfRoom() {
    return code == ErrorCode.STORAGE_EXCEEDED || code == ErrorCode.UNAVAILABLE;
  }

  /// What to tell the caller: {@link ErrorCode#STORAGE_EXCEEDED} when a limit is reached, {@link
  /// ErrorCode#UNAVAILABLE} when trying again later can help, else {@link ErrorCode#SERVICE}.
  public ErrorCode code() {
    return code;
  }
}
