package io.easyfaas.funclet.launch;

import java.io.IOException;
import java.nio.file.Path;

/// Whether sandboxes have overlays of what they see of the host, or share its files.
public final class Overlays {
  private Overlays() {}

  /// Has the launcher try it. Blocks some milliseconds.
  ///
  /// @return true also when it could not be tried: what that is due to shows elsewhere
  public static boolean areThere(Path launcher) {
    try {
      Process process =
          new ProcessBuilder(launcher.toString(), "check")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var lines = process.inputReader()) {
        return lines
            .lines()
            .noneMatch(line -> line.contains("\"feature\":\"overlayfs\",\"present\":false"));
      }
    } catch (IOException _) {
      return true;
    }
  }
}
