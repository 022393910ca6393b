package io.easyfaas.funclet.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// A classic BPF program as a seccomp filter, interpreted: the instructions that seccomp takes and
/// our compiler makes, see seccomp(2) and the kernel's networking/filter.rst. Anything else, a jump
/// out of the program or a load of what `struct seccomp_data` does not have is an error.
final class BpfProgram {
  private static final int LOAD_WORD = 0x20;
  private static final int RETURN = 0x06;
  private static final int JUMP = 0x05;
  private static final int JUMP_EQUAL = 0x15;
  private static final int JUMP_NOT_BELOW = 0x35;
  private static final int JUMP_ANY_BIT = 0x45;
  private static final int AND = 0x54;

  // Each instruction is one number: code, jt, jf and k from its low bits up.
  private final long[] code;

  BpfProgram(long... code) {
    if (code.length == 0 || code.length > 4096) {
      throw new IllegalArgumentException("instructions: " + code.length + " (expected: 1…4096)");
    }
    this.code = code.clone();
  }

  /// Reads an array of `struct sock_filter`.
  static BpfProgram read(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      long[] code = new long[bytes.remaining() / Long.BYTES];
      bytes.asLongBuffer().get(code);
      return new BpfProgram(code);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// What the filter returns for a call.
  ///
  /// @param architecture AUDIT_ARCH_…
  /// @param arguments six
  int run(int architecture, int number, long... arguments) {
    int accumulator = 0;
    for (int at = 0; at < code.length; at++) {
      long instruction = code[at];
      int k = (int) (instruction >>> 32);
      switch ((int) (instruction & 0xffff)) {
        case LOAD_WORD -> accumulator = load(k, architecture, number, arguments);
        case AND -> accumulator &= k;
        case RETURN -> {
          return k;
        }
        case JUMP -> at = Math.addExact(at, k);
        case JUMP_EQUAL -> at += offset(instruction, accumulator == k);
        case JUMP_NOT_BELOW ->
            at += offset(instruction, Integer.compareUnsigned(accumulator, k) >= 0);
        case JUMP_ANY_BIT -> at += offset(instruction, (accumulator & k) != 0);
        default -> throw new IllegalStateException("no instruction of ours at " + at);
      }
    }
    throw new IllegalStateException("the program has no end");
  }

  private static int offset(long instruction, boolean holds) {
    return (int) (instruction >>> (holds ? 16 : 24)) & 0xff;
  }

  private static int load(int offset, int architecture, int number, long... arguments) {
    return switch (offset) {
      case 0 -> number;
      case 4 -> architecture;
      default -> {
        int word = (offset - 16) / 4;
        if (offset % 4 != 0 || word < 0 || word >= 2 * arguments.length) {
          throw new IllegalStateException("a load of nothing, at " + offset);
        }
        yield (int) (arguments[word / 2] >>> (word % 2 * 32));
      }
    };
  }
}
