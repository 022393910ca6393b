package io.easyfaas.runnerruntime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the runners' own tests, so that one report has them all.
class RunnersTest {
  @TempDir Path temp;

  @Test
  void theNodeRunnerPassesItsTests() throws Exception {
    passes("node", "--test", "node/");
  }

  @Test
  void thePythonRunnerPassesItsTests() throws Exception {
    passes("python3", "-B", "-m", "unittest", "discover", "-s", "python");
  }

  private void passes(String... command) throws IOException, InterruptedException {
    File output = temp.resolve("output").toFile();
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    boolean hasEnded = process.waitFor(5, TimeUnit.MINUTES);
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();

    assertThat(hasEnded ? process.exitValue() : -1).as(() -> readQuietly(output.toPath())).isZero();
  }

  private static String readQuietly(Path file) {
    try {
      return Files.readString(file, UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
