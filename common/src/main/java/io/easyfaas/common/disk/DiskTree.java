package io.easyfaas.common.disk;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// Walks of a whole directory that never follow a link.
public final class DiskTree {
  private DiskTree() {}

  /// Deletes a file or a directory with everything below it. Safe when it does not exist, and when
  /// something of it disappears meanwhile.
  ///
  /// @throws IOException when something of it stays
  public static void delete(Path path) throws IOException {
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            return goneIsFine(failure);
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /// What a file or a directory with everything below it takes. What disappears meanwhile does not
  /// count, and nothing does when it does not exist.
  public static DiskUse use(Path path) throws IOException {
    try {
      return use(path, DiskUse.blockSize(path));
    } catch (NoSuchFileException _) {
      return DiskUse.NONE;
    }
  }

  /// The same for one of many on a file system.
  ///
  /// @param block of it in bytes, see {@link DiskUse#blockSize}
  public static DiskUse use(Path path, long block) throws IOException {
    Sum sum = new Sum(block);
    try {
      Files.walkFileTree(path, sum);
    } catch (NoSuchFileException _) {
      return DiskUse.NONE;
    }
    return sum.use;
  }

  private static final class Sum extends SimpleFileVisitor<Path> {
    private final long block;
    private DiskUse use = DiskUse.NONE;

    private Sum(long block) {
      this.block = block;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      use = use.plus(DiskUse.ofDirectory(attributes.size(), block));
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      use = use.plus(DiskUse.ofFile(attributes.size(), block));
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
      return goneIsFine(failure);
    }
  }

  private static FileVisitResult goneIsFine(IOException failure) throws IOException {
    if (failure instanceof NoSuchFileException) {
      return FileVisitResult.CONTINUE;
    }
    throw failure;
  }
}
