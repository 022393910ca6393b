package io.easyfaas.funclet.launch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/// Arguments of one call, near everything that a filter could tell apart.
///
/// @param values what is tried, by the argument's place; the others are 0
record SeccompArguments(Map<Integer, long[]> values) {
  private static final int ARGUMENTS = 6;
  private static final long[] POINTERS = {0, 1, 0x1000, 1L << 32, 0x7fff_ffff_f000L, -1};

  static SeccompArguments of(String call) {
    return new SeccompArguments(
        switch (call) {
          case "mknod" -> Map.of(1, range(0, 0x10000, 0x80));
          case "mknodat" -> Map.of(2, range(0, 0x10000, 0x80));
          case "fadvise64" -> Map.of(3, range(0, 300, 1));
          case "ioctl" ->
              Map.of(
                  1,
                  values(
                      range(0x5400, 0x5480, 1),
                      range(0x8900, 0x8a00, 1),
                      range(0x9400, 0x9410, 1),
                      new long[] {
                        0, -1, 0x40049409, 0x802c542aL, 0x402c542b, 0x402c542c, 0x402c542d
                      }));
          case "mmap" -> Map.of(3, range(0, 0x80, 1));
          case "shmget", "madvise" -> Map.of(2, range(0, 300, 1));
          case "memfd_create" -> Map.of(1, range(0, 300, 1));
          case "clone" -> Map.of(0, values(range(0, 300, 17), range(0, 0x3f0000, 0x10f11)));
          case "setrlimit" -> Map.of(0, range(0, 40, 1));
          case "prlimit64" -> Map.of(1, range(0, 20, 1), 2, POINTERS, 3, POINTERS);
          case "sched_setscheduler" -> Map.of(1, range(0, 40, 1));
          case "personality" -> Map.of(0, range(-4, 40, 1));
          case "prctl" -> Map.of(0, values(range(-1, 300, 1), new long[] {0x53564d41, 0x59616d61}));
          case "arch_prctl" ->
              Map.of(
                  0,
                  values(
                      range(0xff0, 0x1040, 1), range(0x2000, 0x2010, 1), range(0x4ff0, 0x5020, 1)));
          case "socket", "socketpair" ->
              Map.of(
                  0, new long[] {-1, 0, 1, 2, 3, 10, 15, 16, 17, 38, 40},
                  1, new long[] {0, 1, 2, 3, 4, 5, 6, 10, 0x80801, 0x80802, 0x80803},
                  2, values(range(0, 64, 1), new long[] {132, 136, 255, 262}));
          case "setsockopt" ->
              Map.of(
                  1,
                  new long[] {-1, 0, 1, 2, 6, 17, 41, 58, 132, 136, 255, 270, 279, 282, 284},
                  2,
                  values(range(0, 110, 1), new long[] {-1, 256}));
          default -> throw new IllegalArgumentException(call);
        });
  }

  /// All combinations of the values, each also with every single bit of each argument the other way
  /// round: neighbours, flags, and high halves.
  void forEachNear(Consumer<long[]> action) {
    forEach(
        new ArrayList<>(new TreeMap<>(values).entrySet()),
        new long[ARGUMENTS],
        arguments -> {
          action.accept(arguments);
          for (int argument = 0; argument < ARGUMENTS; argument++) {
            for (int bit = 0; bit < Long.SIZE; bit++) {
              arguments[argument] ^= 1L << bit;
              action.accept(arguments);
              arguments[argument] ^= 1L << bit;
            }
          }
        });
  }

  private static void forEach(
      List<Map.Entry<Integer, long[]>> open, long[] arguments, Consumer<long[]> action) {
    if (open.isEmpty()) {
      action.accept(arguments);
      return;
    }
    for (long value : open.getFirst().getValue()) {
      arguments[open.getFirst().getKey()] = value;
      forEach(open.subList(1, open.size()), arguments, action);
    }
  }

  private static long[] range(long first, long end, long step) {
    return LongStream.iterate(first, value -> value < end, value -> value + step).toArray();
  }

  private static long[] values(long[]... parts) {
    return Arrays.stream(parts).flatMapToLong(LongStream::of).toArray();
  }
}
