package io.easyfaas.funclet.launch;

import static io.easyfaas.funclet.launch.SeccompVerdicts.ALLOW;
import static io.easyfaas.funclet.launch.SeccompVerdicts.ENOSYS;
import static io.easyfaas.funclet.launch.SeccompVerdicts.EPERM;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The compiler of seccomp policies: what it refuses, by file and line, and jumps that do not
/// reach.
final class PolicyCompilerTest {
  private static final int X86_64 = 0xc000003e;
  private static final String CALLS = "read 0 63\nwrite 1 64\nopen 2 -\n";
  private static final String CONSTANTS = "EPERM 1\nENOSYS 38\nONE 1\nTWO 2\nBOTH ONE|TWO\n";
  private static final String HEAD = "kill foreign\nENOSYS other\n";
  // Uses every constant, each of which must have a use.
  private static final String TAIL =
      "EPERM open\ncall write with a\n  allow if a is ONE or TWO or BOTH\n  EPERM otherwise\n";

  @TempDir private Path home;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "allow raed                                    | 3: 'raed' is no call",
        "permit read                                   | 3: 'permit' is no constant",
        "ONE read                                      | 3: 'ONE' is no verdict",
        "allow write                                   | 5: 'write' is decided in line 3 already",
        "allow read read                               | 3: 'read' is decided in line 3 already",
        "call read with a;  allow if a is THREE        | 4: 'THREE' is no constant",
        "call read with a;  allow if b is ONE          | 4: 'b' is no argument of this call",
        "call read with a;  allow if a equals ONE      | 4: expected 'is' or 'has', not 'equals'",
        "call read with a;  allow if a is ONE          | 3: the rules do not end with 'otherwise'",
        "call read with a                              | 3: the rules do not end with 'otherwise'",
        "call read with a;  allow otherwise;  EPERM otherwise | 5: no call comes past 'otherwise'",
        "call read with a;  allow if a is ONE or ONE;  EPERM otherwise"
            + " | 4: value 2 of term 1 makes no difference",
        "call read with a;  allow if a is ONE;  EPERM if a is ONE;  EPERM otherwise"
            + " | 5: no call comes to this rule",
        "call read with a;  allow if a & ONE is TWO;  EPERM otherwise"
            + " | 4: no call comes to this rule",
        "call read with long a;  allow if a has ONE;  EPERM otherwise"
            + " | 4: a long argument is only compared",
        "call read with a;  allow if a is;  EPERM otherwise | 4: the line ends too early",
        "'  allow if a is ONE' | 3: a rule without a call, or one too many",
      })
  void aMistakeIsNamedByItsLine(String rules, String message) throws Exception {
    String policy = HEAD + rules.replace(';', '\n') + "\n" + TAIL;

    assertThat(compile(CALLS, CONSTANTS, policy)).endsWith("policy:" + message + "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "read 7 -             | calls:4: 'read' is there twice, or one too many",
        "close 1 -            | calls:4: 'close' has a number of 'write'",
        "x32 1-9 -            | calls:4: 'x32' has a number of 'write'",
        "close three -        | calls:4: 'three' is no number",
        "close 3              | calls:4: expected a name and 2 numbers",
      })
  void aMistakeInTheTableOfCallsToo(String line, String message) throws Exception {
    assertThat(compile(CALLS + line + "\n", CONSTANTS, HEAD + TAIL)).endsWith(message + "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ONE 3     | constants:6: 'ONE' is there twice, or one too many",
        "THREE 3   | constants:6: 'THREE' has no use",
        "SUM ONE!X | constants:6: 'X' is no constant",
      })
  void aMistakeInTheTableOfConstantsToo(String line, String message) throws Exception {
    assertThat(compile(CALLS, CONSTANTS + line.replace('!', '|') + "\n", HEAD + TAIL))
        .endsWith(message + "\n");
  }

  @Test
  void jumpsReachAcrossAnyNumberOfCallsAndRules() throws Exception {
    // Calls whose verdicts alternate, the even ones by rules with as many values as there may be.
    int calls = 120;
    String table =
        IntStream.range(0, calls)
            .mapToObj(n -> "call%d %d %d\n".formatted(n, n, n))
            .collect(Collectors.joining());
    String constants =
        "EPERM 1\nENOSYS 38\n"
            + IntStream.range(0, 32)
                .mapToObj(n -> "V%d %d\n".formatted(n, 100 + n))
                .collect(Collectors.joining());
    String values =
        IntStream.range(0, 32).mapToObj(n -> "V" + n).collect(Collectors.joining(" or "));
    String policy =
        HEAD
            + IntStream.range(0, calls)
                .mapToObj(n ->
                    n % 2 == 1
                        ? "EPERM call%d\n".formatted(n)
                        : "call call%d with a b\n  allow if b is %s\n  EPERM otherwise\n"
                            .formatted(n, values))
                .collect(Collectors.joining());

    assertThat(compile(table, constants, policy)).isEmpty();

    BpfProgram program = BpfProgram.read(home.resolve("policy_x86_64.bpf"));
    for (int call = 0; call <= calls; call++) {
      for (int value = 98; value < 134; value++) {
        boolean allowed = call % 2 == 0 && value >= 100 && value < 132;
        assertThat(program.run(X86_64, call, 0, value, 0, 0, 0, 0))
            .isEqualTo(call == calls ? ENOSYS : allowed ? ALLOW : EPERM);
      }
    }
  }

  /// What the compiler says.
  private String compile(String calls, String constants, String policy)
      throws IOException, InterruptedException {
    Process compiler =
        new ProcessBuilder(
                Path.of("target/native/policy/compiler").toAbsolutePath().toString(),
                Files.writeString(home.resolve("calls"), calls).toString(),
                Files.writeString(home.resolve("constants"), constants).toString(),
                Files.writeString(home.resolve("policy"), policy).toString(),
                home.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor()).isEqualTo(output.isEmpty() ? 0 : 1);
    return output;
  }
}
