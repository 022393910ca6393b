package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SettingsTest {
  private final Settings settings = new Settings();
  private final List<Long> written = new ArrayList<>();

  @Test
  void whatIsSetAlreadyIsNotWritten() {
    set("c0", "pids", 7);
    set("c0", "pids", 7);
    set("c0", "weight", 7);
    set("c0", "pids", 8);
    set("c0", "pids", 7);
    set("c1", "pids", 7);

    assertThat(written).containsExactly(7L, 7L, 8L, 7L, 7L);
  }

  @Test
  void whatAFailureLeavesIsNotKnown() {
    set("c0", "pids", 7);
    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() ->
            settings.set(
                "c0",
                "pids",
                8,
                () -> {
                  throw new CgroupException("half-way", null);
                }));
    set("c0", "pids", 7);
    set("c0", "pids", 7);

    assertThat(written).containsExactly(7L, 7L);
  }

  @Test
  void whatIsForgottenIsWrittenAgain() {
    set("c0", "pids", 7);
    set("c1", "pids", 7);
    settings.forget("c0");
    set("c0", "pids", 7);
    set("c1", "pids", 7);
    assertThat(written).hasSize(3);

    settings.forgetAll();
    set("c1", "pids", 7);
    assertThat(written).hasSize(4);
  }

  private void set(String slot, String setting, long value) {
    settings.set(slot, setting, value, () -> written.add(value));
  }
}
