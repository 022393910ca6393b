package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `deploy/memory.sh` makes of control groups, laid out as files.
final class MemoryScriptTest {
  private static final long MIB = 1 << 20;
  private static final Pattern FLAGS =
      Pattern.compile("-Xmx(\\d+)m .*netty.maxDirectMemory=(\\d+)");
  private static final String NONE_V1 = "9223372036854771712";
  private static final String SHIPPED =
      "-Xmx256m -XX:MaxDirectMemorySize=192m -Dio.netty.maxDirectMemory="
          + 160 * MIB
          + " -XX:ReservedCodeCacheSize=48m\n";

  private Path script = Path.of("");
  private long machine = 32 * MIB; // KiB
  @TempDir private Path root;

  @BeforeEach
  void findScript() {
    Path above = Path.of("").toAbsolutePath();
    while (!Files.exists(above.resolve("deploy/memory.sh"))) {
      above = requireNonNull(above.getParent());
    }
    script = above.resolve("deploy");
  }

  @Test
  void withoutALimitThePlanIsTheShippedOne() throws IOException {
    limit("a/memory.max", "max");

    assertThat(plan("0::/a")).isEqualTo(SHIPPED);
    assertThat(plan("0::/a/gone")).isEqualTo(SHIPPED);
    assertThat(plan("")).isEqualTo(SHIPPED);
  }

  @Test
  void halfOfTheSmallestLimitUpTheTreeIsTheEngines() throws IOException {
    limit("a/b/memory.max", "max");
    limit("a/memory.max", "" + 600 * MIB);
    limit("memory.max", "" + 4000 * MIB);

    assertThat(plan("0::/a/b"))
        .isEqualTo(
            "-Xmx104m -XX:MaxDirectMemorySize=100m -Dio.netty.maxDirectMemory="
                + 68 * MIB
                + " -XX:ReservedCodeCacheSize=48m\n");
  }

  @Test
  void theFirstVersionsGroupsCountToo() throws IOException {
    limit("memory/memory.limit_in_bytes", NONE_V1);
    limit("memory/x/memory.limit_in_bytes", "" + 320 * MIB);
    limit("memory/x/y/memory.limit_in_bytes", NONE_V1);

    assertThat(plan("9:name=systemd:/\n4:cpu,memory:/x/y\n0::/")).startsWith("-Xmx38m ");
  }

  @Test
  void aPathThatOnlyTheHostSeesMeansTheMount() throws IOException {
    limit("memory/memory.limit_in_bytes", "" + 2000 * MIB);

    assertThat(plan("4:memory:/docker/0123")).isEqualTo(SHIPPED);
  }

  @Test
  void aSmallMachineIsALimitAsWell() throws IOException {
    machine = 600 * 1024;

    assertThat(plan("")).startsWith("-Xmx104m ");
  }

  @Test
  void theHeapIsOfASizeTheJvmKeeps() throws IOException {
    for (int limit = 192; limit < 1100; limit += 37) {
      limit("memory.max", "" + limit * MIB);

      Matcher flags = FLAGS.matcher(plan("0::/"));
      assertThat(flags.find()).isTrue();
      long heap = Long.parseLong(flags.group(1));
      long direct = Long.parseLong(flags.group(2)) / MIB;
      assertThat(heap % 2).isZero();
      assertThat(heap + direct + 128).isEqualTo(Math.clamp(limit / 2, 192, 544));
    }
  }

  @Test
  void tooLittleIsRefusedWithTheNumbers() throws IOException {
    limit("memory.max", "" + 64 * MIB);

    assertThat(plan("0::/"))
        .startsWith(
            "easyfaas: needs 192 MiB of memory, and that of its functions; there are 64 MiB. Hint: ");
  }

  private void limit(String file, String value) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, value + "\n");
  }

  private String plan(String groups) throws IOException {
    Path list = Files.writeString(root.resolve("list"), groups.isEmpty() ? "" : groups + "\n");
    Process bash =
        new ProcessBuilder(
                "bash",
                "-euo",
                "pipefail",
                "-c",
                "readonly root=/ dist=/; source \"$0/host.sh\"; source \"$0/memory.sh\"; plan_memory \"$1\" \"$2\" \"$3\";"
                    + " echo \"${memory_flags[*]}\"",
                script.toString(),
                root.toString(),
                list.toString(),
                Files.writeString(root.resolve("meminfo"), "MemTotal: " + machine + " kB\n")
                    .toString())
            .redirectErrorStream(true)
            .start();
    return new String(bash.getInputStream().readAllBytes(), UTF_8);
  }
}
