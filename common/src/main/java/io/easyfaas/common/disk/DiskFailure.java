package io.easyfaas.common.disk;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/// Words for what a file system refuses: Java's own often are the path and nothing else. Pure.
public final class DiskFailure {
  private DiskFailure() {}

  /// Why, and where, as far as the failure tells.
  public static String text(IOException failure) {
    String reason =
        switch (failure) {
          case AccessDeniedException _ -> "not allowed";
          case NoSuchFileException _ -> "does not exist";
          case NotDirectoryException _ -> "no directory";
          case FileAlreadyExistsException _ -> "exists already";
          case FileSystemException other when other.getReason() != null -> other.getReason();
          default -> null;
        };
    if (reason == null) {
      return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }
    String file = ((FileSystemException) failure).getFile();
    return file == null ? reason : file + ": " + reason;
  }
}
