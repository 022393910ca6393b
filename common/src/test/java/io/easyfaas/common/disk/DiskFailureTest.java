package io.easyfaas.common.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class DiskFailureTest {
  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(new AccessDeniedException("/a"), "/a: not allowed"),
        Arguments.of(new NoSuchFileException("/a"), "/a: does not exist"),
        Arguments.of(new NotDirectoryException("/a"), "/a: no directory"),
        Arguments.of(new FileAlreadyExistsException("/a"), "/a: exists already"),
        Arguments.of(
            new FileSystemException("/a", null, "No space left on device"),
            "/a: No space left on device"),
        Arguments.of(new DirectoryNotEmptyException("/a"), "/a"),
        Arguments.of(new IOException("broken"), "broken"),
        Arguments.of(new EOFException(), "java.io.EOFException"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void saysWhyAndWhere(IOException failure, String text) {
    assertThat(DiskFailure.text(failure)).isEqualTo(text);
  }
}
