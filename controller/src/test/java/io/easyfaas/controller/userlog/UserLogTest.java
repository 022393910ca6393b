package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.CallOutput.Chunk;
import io.easyfaas.controller.userlog.CallOutput.Source;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserLogTest {
  @TempDir private Path root;

  private final ResolvedFunction function =
      ResolvedFunction.of(
          FakeRegistry.document("f", "brn:f", Traits.of("echo").logged()),
          new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of()));

  @Test
  void jsonLinesHaveTheirMembersInOrder() throws Exception {
    write(UserLogFormat.JSON, output("R1", 200, chunk(Source.STDOUT, "hello\n")));

    List<String> lines = Files.readAllLines(root.resolve("controller-userlog.log"));
    assertThat(lines.get(0))
        .isEqualTo(
            "{\"rid\":\"R1\",\"msg\":\"hello\",\"src\":\"stdout\",\"brn\":\"brn:f\",\"func\":\"f\","
                + "\"version\":\"1\",\"userid\":\"df391b08c64c426a81645468c75163a5\","
                + "\"runtimeID\":\"c0\",\"triggerType\":\"generic\","
                + "\"ts\":\"2024-01-01T00:00:00Z\"}");
    assertThat(lines.get(1))
        .contains("\"msg\":\"REPORT RequestID: R1\"")
        .contains("\"invocationTime\":17,\"memoryUsage\":0,\"invokeMode\":\"common\"")
        .contains("\"responseStatus\":200");
  }

  @Test
  void lineThatCameInPiecesIsOneLineAndEmptyOnesAreLeftOut() throws Exception {
    write(
        UserLogFormat.PLAIN,
        output(
            "R1",
            200,
            chunk(Source.STDOUT, "he"),
            chunk(Source.STDERR, "error\n\n"),
            chunk(Source.STDOUT, "llo\n"),
            chunk(Source.STDOUT, "not ended")));

    Path file = root.resolve("df391b08c64c426a81645468c75163a5.f.1").resolve("17.R1");
    assertThat(Files.readAllLines(file))
        .containsExactly(
            "2024-01-01T00:00:00Z\terror",
            "2024-01-01T00:00:00Z\thello",
            "2024-01-01T00:00:00Z\tnot ended",
            "2024-01-01T00:00:00Z\tREPORT RequestID: R1");
  }

  @Test
  void requestIdCannotLeaveTheDirectory() throws Exception {
    write(UserLogFormat.PLAIN, output("../../x", 200, chunk(Source.STDOUT, "x")));

    assertThat(root.resolve("df391b08c64c426a81645468c75163a5.f.1").resolve("17._._.._x")).exists();
  }

  @Test
  void outputThatCannotBeWrittenIsCounted() throws Exception {
    Path file = Files.createFile(root.resolve("file"));
    UserLog log = new UserLog(file, UserLogFormat.PLAIN);
    log.offer(output("R1", 200, chunk(Source.STDOUT, "x")));

    log.close();

    assertThat(log.dropped()).isEqualTo(1);
  }

  @Test
  void moreThanTheLimitIsDroppedAndCounted() {
    try (UserLog log = new UserLog(root, UserLogFormat.JSON)) {
      byte[] large = new byte[65 << 20];

      boolean taken = log.offer(output("R1", 200, new Chunk(Source.STDOUT, large, 0)));

      assertThat(taken).isFalse();
      assertThat(log.dropped()).isEqualTo(1);
    }
  }

  private void write(UserLogFormat format, CallOutput output) {
    try (UserLog log = new UserLog(root, format)) {
      assertThat(log.offer(output)).isTrue();
    }
  }

  private CallOutput output(String requestId, int status, Chunk... chunks) {
    List<Chunk> all = new ArrayList<>(List.of(chunks));
    all.add(chunk(Source.FAAS, "REPORT RequestID: " + requestId));
    return new CallOutput(function, requestId, "c0", "generic", 17, false, status, all);
  }

  private static Chunk chunk(Source source, String text) {
    return new Chunk(source, text.getBytes(UTF_8), 1_704_067_200_000L);
  }
}
