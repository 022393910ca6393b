package io.easyfaas.common.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskUseTest {
  private static final long BLOCK = 4096;
  private static final DiskUse LIMIT = new DiskUse(1000, 10);

  @TempDir private Path directory;

  @Test
  void contentIsCountedInWholeBlocks() {
    assertThat(DiskUse.ofFile(0, BLOCK)).isEqualTo(new DiskUse(0, 1));
    assertThat(DiskUse.ofFile(1, BLOCK)).isEqualTo(new DiskUse(4096, 1));
    assertThat(DiskUse.ofFile(4096, BLOCK)).isEqualTo(new DiskUse(4096, 1));
    assertThat(DiskUse.ofFile(4097, BLOCK)).isEqualTo(new DiskUse(8192, 1));
    assertThat(DiskUse.ofDirectory(0, BLOCK)).isEqualTo(new DiskUse(4096, 1));
  }

  @Test
  void bothMustFit() {
    assertThat(new DiskUse(1000, 10).fits(LIMIT)).isTrue();
    assertThat(new DiskUse(1001, 1).fits(LIMIT)).isFalse();
    assertThat(new DiskUse(1, 11).fits(LIMIT)).isFalse();
  }

  @Test
  void lessThanNothingIsRefused() {
    assertThatThrownBy(() -> DiskUse.NONE.minus(LIMIT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("disk use: -1000 bytes, -10 inodes (expected: >= 0)");
  }

  @Test
  void aTreeIsCountedWithItsDirectoriesAndNoLinkIsFollowed() throws IOException {
    long block = DiskUse.blockSize(directory);
    Path tree = Files.createDirectory(directory.resolve("tree"));
    Files.createDirectories(tree.resolve("a/b"));
    Files.write(tree.resolve("a/file"), new byte[1]);
    Files.createSymbolicLink(tree.resolve("link"), directory);
    Files.write(directory.resolve("outside"), new byte[100_000]);

    DiskUse use = DiskTree.use(tree);

    assertThat(use.inodes()).isEqualTo(5);
    assertThat(use.bytes())
        .isBetween(4 * block, 6 * block); // Directories grow, links may be inside.
    assertThat(DiskTree.use(directory.resolve("nothing"))).isEqualTo(DiskUse.NONE);
  }

  @Test
  void aDeletedTreeLeavesWhatItsLinksPointTo() throws IOException {
    Path outside = Files.write(directory.resolve("outside"), new byte[1]);
    Path tree = Files.createDirectory(directory.resolve("tree"));
    Files.createSymbolicLink(tree.resolve("link"), outside);

    DiskTree.delete(tree);
    DiskTree.delete(tree);

    assertThat(tree).doesNotExist();
    assertThat(outside).exists();
  }
}
