package io.easyfaas.funclet.launch;

import static io.easyfaas.funclet.launch.SeccompVerdicts.ALLOW;
import static io.easyfaas.funclet.launch.SeccompVerdicts.ENOSYS;
import static io.easyfaas.funclet.launch.SeccompVerdicts.KILL;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The seccomp programs that the build made, interpreted for every number and every rule.
final class SeccompPolicyTest {
  private static final int KNOWN_NUMBERS = 1024;
  private static final int X32 = 0x40000000;
  private static final int ARGUMENTS = 6;

  private static final Architecture X86_64 = Architecture.of("x86_64", 0xc000003e, 1);
  private static final Architecture AARCH64 = Architecture.of("aarch64", 0xc00000b7, 2);

  /// @param audit AUDIT_ARCH_…
  /// @param calls their names by number
  record Architecture(String name, int audit, BpfProgram program, Map<Integer, String> calls) {
    static Architecture of(String name, int audit, int column) {
      Path program = Path.of("target/native/policy/policy_" + name + ".bpf");
      return new Architecture(name, audit, BpfProgram.read(program), readCalls(column));
    }

    int verdict(int number, long... arguments) {
      return program.run(audit, number, arguments);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Architecture> architectures() {
    return Stream.of(X86_64, AARCH64);
  }

  /// The names of the calls by number, from the table's lines of a name and a number for each
  /// architecture.
  private static Map<Integer, String> readCalls(int column) {
    Map<Integer, String> calls = new HashMap<>();
    try {
      for (String line : Files.readAllLines(Path.of("src/main/c/policy/calls.table"))) {
        String[] words = line.split(" ", -1);
        if (words.length == 3 && words[column].matches("\\d+")) {
          calls.put(Integer.valueOf(words[column]), words[0]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return calls;
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void everyNumberIsToldWhatItsCallIsTold(Architecture architecture) {
    // Arguments that a rule of another call would look at, so that it is not taken for this one's.
    long[] telling =
        LongStream.concat(LongStream.range(-1, 300), LongStream.of(0x1000, 0x5401, 0x8946))
            .toArray();
    for (int number = 0; number < KNOWN_NUMBERS; number++) {
      String call = architecture.calls().getOrDefault(number, "none");
      for (long value : telling) {
        long[] arguments = new long[ARGUMENTS];
        Arrays.fill(arguments, value);
        compare(architecture, number, call, arguments);
      }
    }
  }

  @Test
  void everyCallWithAVerdictHasANumber() {
    assertThat(X86_64.calls().values()).containsAll(SeccompVerdicts.decided());
    TreeSet<String> missing = new TreeSet<>(SeccompVerdicts.decided());
    missing.removeAll(AARCH64.calls().values());
    assertThat(missing)
        .containsExactly(
            ("access alarm arch_prctl chmod chown creat dup2 epoll_create epoll_wait eventfd fork"
                    + " futimesat getdents getpgrp inotify_init ioperm iopl lchown link lstat mkdir"
                    + " mknod modify_ldt open pause pipe poll readlink rename rmdir select signalfd"
                    + " stat symlink time unlink uprobe uretprobe utime utimes vfork")
                .split(" "));
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void aNumberThatNoKernelOfTodayHasIsUnknown(Architecture architecture) {
    for (int number = KNOWN_NUMBERS; number > 0 && number < X32; number = number / 4 * 5) {
      assertThat(architecture.verdict(number, new long[ARGUMENTS])).isEqualTo(ENOSYS);
    }
    assertThat(architecture.verdict(X32 - 1, new long[ARGUMENTS])).isEqualTo(ENOSYS);
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void aCallOfTheX32AbiKills(Architecture architecture) {
    int expected = architecture.equals(X86_64) ? KILL : ENOSYS;
    for (int number = 0; number < KNOWN_NUMBERS; number++) {
      assertThat(architecture.verdict(X32 | number, new long[ARGUMENTS])).isEqualTo(expected);
    }
    for (int number : new int[] {0x7fffffff, 0x80000000, 0xc0000000, -2}) {
      assertThat(architecture.verdict(number, new long[ARGUMENTS])).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void noCallAtAllIsTheKernelsToAnswer(Architecture architecture) {
    assertThat(architecture.verdict(-1, new long[ARGUMENTS])).isEqualTo(ALLOW);
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void aCallOfAForeignArchitectureKills(Architecture architecture) {
    LongStream flips =
        LongStream.range(0, Integer.SIZE).map(bit -> architecture.audit() ^ 1L << bit);
    LongStream others = architectures().mapToLong(Architecture::audit);
    int i386 = 0x40000003;
    int arm = 0x40000028;
    for (long audit :
        LongStream.concat(LongStream.concat(flips, others), LongStream.of(0, i386, arm, -1))
            .filter(audit -> (int) audit != architecture.audit())
            .toArray()) {
      for (int number : new int[] {-1, 0, 1, 39, 172, 466, 1023, X32}) {
        assertThat(architecture.program().run((int) audit, number, new long[ARGUMENTS]))
            .isEqualTo(KILL);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void everyRuleHoldsForItsArgumentsAndForNoOthers(Architecture architecture) {
    TreeSet<String> untried = new TreeSet<>(SeccompVerdicts.RULED);
    architecture
        .calls()
        .forEach((number, call) -> {
          if (untried.remove(call)) {
            SeccompArguments.of(call)
                .forEachNear(arguments -> compare(architecture, number, call, arguments));
          }
        });
    assertThat(untried)
        .isEqualTo(
            architecture.equals(X86_64)
                ? new TreeSet<>()
                : new TreeSet<>(List.of("arch_prctl", "mknod")));
  }

  private static void compare(
      Architecture architecture, int number, String call, long... arguments) {
    int expected = SeccompVerdicts.of(call, arguments);
    int verdict = architecture.verdict(number, arguments);
    // Millions of comparisons: the message is made for the one that fails.
    if (verdict != expected) {
      assertThat(Integer.toHexString(verdict))
          .as("%s %s %s", architecture, call, Arrays.toString(arguments))
          .isEqualTo(Integer.toHexString(expected));
    }
  }
}
