package io.easyfaas.funclet.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OverlaysTest {
  @TempDir private Path directory;

  @Test
  void theLaunchersWordIsTaken() throws IOException {
    assertThat(Overlays.areThere(launcherThatSays(true))).isTrue();
    assertThat(Overlays.areThere(launcherThatSays(false))).isFalse();
  }

  @Test
  void aLauncherThatCannotBeStartedIsAnothersComplaint() {
    assertThat(Overlays.areThere(Path.of("/nowhere"))).isTrue();
  }

  private Path launcherThatSays(boolean present) throws IOException {
    Path program = directory.resolve("says-" + present);
    Files.writeString(
        program,
        """
        #!/bin/sh
        echo '{"feature":"memfd-seals","present":false,"required":true}'
        echo '{"feature":"overlayfs","present":%s,"required":false}'
        """
            .formatted(present));
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
  }
}
