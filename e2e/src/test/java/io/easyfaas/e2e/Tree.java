package io.easyfaas.e2e;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/// Looks through a directory that others change meanwhile: what goes away is not there.
final class Tree {
  private Tree() {}

  /// Every path that passes, the root included. Links are not followed.
  ///
  /// @param depth how many directories deep
  /// @throws AssertionError when something that is there cannot be listed, or the root is not
  static List<Path> find(Path root, int depth, BiPredicate<Path, BasicFileAttributes> wanted) {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          root,
          EnumSet.noneOf(FileVisitOption.class),
          depth,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              return visitFile(path, attributes);
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
              if (wanted.test(path, attributes)) {
                found.add(path);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path path, IOException failure)
                throws IOException {
              if (path.equals(root)) {
                throw failure;
              }
              return goOn(failure);
            }

            @Override
            public FileVisitResult postVisitDirectory(Path path, @Nullable IOException failure)
                throws IOException {
              return failure == null ? FileVisitResult.CONTINUE : goOn(failure);
            }
          });
    } catch (IOException e) {
      throw new AssertionError("list " + root + ": " + e, e);
    }
    return found;
  }

  private static FileVisitResult goOn(IOException failure) throws IOException {
    if (failure instanceof NoSuchFileException) {
      return FileVisitResult.CONTINUE;
    }
    throw failure;
  }
}
