package io.easyfaas.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final int MEBIBYTE = 1024 * 1024;

  private final AtomicLong now = new AtomicLong();
  private final StringWriter terminal = new StringWriter();

  @Test
  void showsHowFarItIsAndWipesThatAtTheEnd() throws IOException {
    try (Progress progress = watch(4 * MEBIBYTE)) {
      byte[] piece = new byte[MEBIBYTE];
      assertThat(progress.read(piece, 0, MEBIBYTE)).isEqualTo(MEBIBYTE);
      now.addAndGet(500_000_000);
      assertThat(progress.read(piece, 0, MEBIBYTE)).isEqualTo(MEBIBYTE);

      assertThat(terminal.toString())
          .endsWith("\ruploading [###############...............] 2.0 of 4.0 MiB, 4.0 MiB/s");
    }

    assertThat(terminal.toString()).endsWith("\r" + " ".repeat(68) + "\r");
  }

  @Test
  void writesNothingForWhatIsDoneAtOnce() throws IOException {
    try (Progress progress = watch(MEBIBYTE)) {
      progress.readAllBytes();
    }

    assertThat(terminal.toString()).isEmpty();
  }

  private Progress watch(int bytes) {
    return new Progress(
        new ByteArrayInputStream(new byte[bytes]),
        bytes,
        new PrintWriter(terminal, true),
        now::get);
  }
}
