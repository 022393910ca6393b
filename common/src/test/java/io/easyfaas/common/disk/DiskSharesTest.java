package io.easyfaas.common.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class DiskSharesTest {
  private final DiskShares shares = new DiskShares();

  @BeforeEach
  void take() {
    shares.add("most-bytes", new DiskUse(600, 1));
    shares.add("most-inodes", new DiskUse(1, 4));
    shares.add("most-inodes", new DiskUse(0, 4));
    shares.add("many-inodes", new DiskUse(1, 5));
    shares.add("few", new DiskUse(300, 1));
  }

  @Test
  void whatOneTakesAndWhatAllTakeIsCounted() {
    assertThat(shares.of("most-inodes")).isEqualTo(new DiskUse(1, 8));
    assertThat(shares.of("nobody")).isEqualTo(DiskUse.NONE);
    assertThat(shares.total()).isEqualTo(new DiskUse(902, 15));

    shares.remove("most-inodes", new DiskUse(1, 8));

    assertThat(shares.of("most-inodes")).isEqualTo(DiskUse.NONE);
    assertThat(shares.total()).isEqualTo(new DiskUse(901, 7));
  }

  @Test
  void whoHasMostOfWhatIsScarceGivesFirstAndWhoHasLessThanAnEqualShareDoesNot() {
    assertThat(shares.givers(new DiskUse(1000, 10))).containsExactly("most-inodes", "many-inodes");
    assertThat(shares.givers(new DiskUse(900, 100))).containsExactly("most-bytes", "few");
    assertThat(shares.givers(new DiskUse(902, 15))).isEmpty();
  }

  @Test
  void whoTakesNothingAnyMoreHasNoShare() {
    shares.remove("many-inodes", new DiskUse(1, 5));
    shares.remove("most-inodes", new DiskUse(1, 8));
    shares.add("none", DiskUse.NONE);
    shares.remove("none", DiskUse.NONE);

    assertThat(shares.givers(new DiskUse(800, 100))).containsExactly("most-bytes");
  }

  @Test
  void ofEqualsTheFirstByNameGives() {
    shares.clear();
    shares.add("b", new DiskUse(10, 1));
    shares.add("a", new DiskUse(10, 1));

    assertThat(shares.givers(new DiskUse(10, 1))).containsExactly("a", "b");
  }

  @Test
  void moreThanOneTakesCannotBeTakenAway() {
    assertThatThrownBy(() -> shares.remove("few", new DiskUse(301, 1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(shares.total()).isEqualTo(new DiskUse(902, 15));
  }
}
