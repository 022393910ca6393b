package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class LogFormatTest {
  @Test
  void anEventIsALine() {
    assertThat(line("slot={} is warm", null, 3))
        .matches(
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO  SlotPool: slot=3 is warm\n");
  }

  @Test
  void whatATenantSaysStaysInItsLine() {
    String forged = "x\u001b[1A\u001b[2K\r\n2026-01-01T00:00:00.000Z ERROR SlotPool: all is lost";

    String line = line("stray output: {}", null, forged);

    assertThat(line)
        .endsWith(
            "stray output: x\\x1b[1A\\x1b[2K\\r\\n2026-01-01T00:00:00.000Z ERROR SlotPool: all is"
                + " lost\n");
    assertThat(line.lines()).hasSize(1);
  }

  @Test
  void aFailureHasItsStackAndItsCausesButNoLinesOfItsOwn() {
    IllegalStateException cause = new IllegalStateException("one\n2026 ERROR two");
    IllegalArgumentException failure = new IllegalArgumentException("outer", cause);
    failure.addSuppressed(new IOException("also"));

    List<String> lines = line("failed", failure).lines().toList();

    assertThat(lines.get(1)).isEqualTo("java.lang.IllegalArgumentException: outer");
    assertThat(lines.get(2)).startsWith("\tat io.easyfaas.cli.LogFormatTest.");
    assertThat(lines).contains("Caused by: java.lang.IllegalStateException: one\\n2026 ERROR two");
    assertThat(lines).contains("\tSuppressed: java.io.IOException: also");
    assertThat(lines.subList(1, lines.size()))
        .allMatch(each ->
            each.startsWith("\t") || each.startsWith("java.") || each.startsWith("Caused by: "));
  }

  @Test
  void whatLibrariesTellTheJdkIsPartOfIt() {
    assertThat(System.getLogger("com.example.library").getClass().getPackageName())
        .isEqualTo("org.slf4j.jdk.platform.logging"); // And not of java.logging's, which prints it.
  }

  @Test
  void librariesTellOnlyWhatIsWrong() {
    LoggerContext loggers = new LoggerContext();
    new LogFormat().configure(loggers);

    assertThat(loggers.getLogger("java.lang.ProcessBuilder").isInfoEnabled()).isFalse();
    assertThat(loggers.getLogger("java.lang.ProcessBuilder").isWarnEnabled()).isTrue();
    assertThat(loggers.getLogger("io.easyfaas.cli.Engine").isInfoEnabled()).isTrue();
  }

  /// The pipe takes 64 KiB, and nobody reads it until the program is done.
  @Test
  void aProgramDoesNotWaitForWhoReadsItsLog() throws IOException {
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home", ""), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath(),
                LogFlood.class.getName())
            .start();
    try {
      assertThat(program.inputReader(UTF_8).readLine()).isEqualTo("done");

      List<String> lines = program.errorReader(UTF_8).lines().toList();
      long kept = lines.stream().filter(line -> line.contains(" Flood: ")).count();
      long dropped =
          lines.stream()
              .filter(line -> line.endsWith(" dropped"))
              .mapToLong(line -> Long.parseLong(line.substring(0, line.indexOf(' '))))
              .sum();
      assertThat(dropped).isPositive();
      assertThat(kept).isPositive();
      assertThat(kept + dropped).isEqualTo(LogFlood.LINES + 1);
    } finally {
      program.destroyForcibly();
    }
  }

  /// Where this test's own classes come from, whatever loaded them.
  private static String classPath() {
    return LogFlood.class.getClassLoader() instanceof URLClassLoader loader
        ? Arrays.stream(loader.getURLs()).map(URL::getPath).collect(Collectors.joining(":"))
        : System.getProperty("java.class.path", "");
  }

  private static String line(String text, @Nullable Throwable failure, Object... arguments) {
    LoggerContext loggers = new LoggerContext();
    return LogLine.of(
        new LoggingEvent(
            LogFormatTest.class.getName(),
            loggers.getLogger("io.easyfaas.controller.pool.SlotPool"),
            Level.INFO,
            text,
            failure,
            arguments));
  }
}
