package io.easyfaas.funclet.code;

import static io.easyfaas.funclet.code.FetchedArchive.MOST_IN_MEMORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.zip.ZipSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FetchedArchiveTest {
  @TempDir private Path directory = Path.of("");
  private final Semaphore places = new Semaphore(1);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, MOST_IN_MEMORY, MOST_IN_MEMORY + 1, 3 * MOST_IN_MEMORY})
  void whatWasWrittenIsReadWhereverItIs(int size) throws IOException {
    byte[] written = bytes(size);
    try (FetchedArchive archive = archive()) {
      for (int from = 0; from < size; from += 1000) {
        archive.write(written, from, Math.min(1000, size - from));
      }

      assertThat(read(archive)).isEqualTo(written);
      if (size <= MOST_IN_MEMORY) {
        assertThat(file()).doesNotExist();
      } else {
        assertThat(file()).hasBinaryContent(written);
      }
    }
    assertThat(file()).doesNotExist();
    assertThat(places.availablePermits()).isOne();
  }

  @Test
  void withoutAPlaceInMemoryItIsInAFile() throws IOException {
    try (FetchedArchive first = archive();
        FetchedArchive second = archive()) {
      first.write(1);
      second.write(2);

      assertThat(read(first)).containsExactly(1);
      assertThat(read(second)).containsExactly(2);
      assertThat(file()).hasBinaryContent(new byte[] {2});
    }
    assertThat(places.availablePermits()).isOne();
  }

  @Test
  void aLargeOneLeavesItsPlaceToOthers() throws IOException {
    try (FetchedArchive large = archive()) {
      large.write(bytes(MOST_IN_MEMORY));
      assertThat(places.availablePermits()).isZero();

      large.write(1);

      assertThat(places.availablePermits()).isOne();
    }
    assertThat(places.availablePermits()).isOne();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, MOST_IN_MEMORY, MOST_IN_MEMORY + 1})
  void whatComesAfterItIsClosedLeavesNothing(int size) throws IOException {
    FetchedArchive archive = archive();
    archive.write(bytes(size));
    archive.close();

    assertThatThrownBy(() -> archive.write(1)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> archive.write(bytes(2 * MOST_IN_MEMORY)))
        .isInstanceOf(IOException.class);
    archive.close();

    assertThat(file()).doesNotExist();
    assertThat(places.availablePermits()).isOne();
  }

  @Test
  void aFileThatCannotBeMadeIsToldOnce() throws IOException {
    FetchedArchive archive = new FetchedArchive(places, () -> directory.resolve("none/archive"));

    assertThatThrownBy(() -> archive.write(bytes(2 * MOST_IN_MEMORY)))
        .isInstanceOf(IOException.class);
    archive.close();

    assertThat(places.availablePermits()).isOne();
  }

  private FetchedArchive archive() {
    return new FetchedArchive(places, this::file);
  }

  private Path file() {
    return directory.resolve("archive");
  }

  private static byte[] read(FetchedArchive archive) throws IOException {
    try (ZipSource source = archive.source()) {
      ByteBuffer bytes = ByteBuffer.allocate((int) source.size());
      while (bytes.hasRemaining()) {
        int count = source.read(bytes, bytes.position());
        assertThat(count).isPositive();
      }
      assertThat(source.read(ByteBuffer.allocate(1), source.size())).isEqualTo(-1);
      return bytes.array();
    }
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(1).nextBytes(bytes);
    return bytes;
  }
}
