package io.easyfaas.common.budget;

import io.easyfaas.common.config.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a process of the engine may take at most, from the limits its JVM was started with; see
/// docs/operations.md. Pure, but for {@link #ofThisProcess}.
///
/// @param heap the largest heap
/// @param direct all of Netty's buffers together
/// @param descriptors files and sockets the process may have open
public record MemoryPlan(ByteSize heap, ByteSize direct, long descriptors) {
  // What a JVM has besides: classes, machine code, threads; as in deploy/memory.sh.
  private static final ByteSize FIXED = ByteSize.ofMebibytes(128);

  // A connection's objects, and what it may hold without a reservation.
  private static final long CONNECTION_BYTES = 64 * 1024;
  private static final int MIN_CONNECTIONS = 64;
  private static final Pattern OPEN_FILES = Pattern.compile("(?m)^Max open files +(\\d+) ");

  // What deploy/memory.sh gives where there is no limit.
  private static final ByteSize SHIPPED_HEAP = ByteSize.ofMebibytes(256);
  private static final ByteSize SHIPPED_DIRECT = ByteSize.ofMebibytes(160);

  // What it gives at least and at most.
  private static final ByteSize LEAST = ByteSize.ofMebibytes(192);
  private static final ByteSize MOST = ByteSize.ofMebibytes(544);

  /// Reads the limits of this process. A JVM that was started without a plan counts as one that was
  /// given the shipped one: what it may take by the JDK's defaults, a quarter of the machine, says
  /// nothing.
  public static MemoryPlan ofThisProcess() {
    // What the JVM tells is less by a part of the young generation that is never in use.
    ByteSize heap = ByteSize.ofMebibytes(Math.ceilDiv(Runtime.getRuntime().maxMemory(), 1 << 20));
    long direct = Long.getLong("io.netty.maxDirectMemory", 0);
    return direct > 0
        ? new MemoryPlan(heap, new ByteSize(direct), openFiles())
        : new MemoryPlan(
            heap.compareTo(SHIPPED_HEAP) < 0 ? heap : SHIPPED_HEAP, SHIPPED_DIRECT, openFiles());
  }

  /// The memory of a machine, or the limit of a control group, of which as much is left for
  /// functions, when a process with the plan of deploy/memory.sh is started there.
  public static ByteSize holding(ByteSize functions) {
    if (functions.compareTo(LEAST) < 0) {
      return functions.plus(LEAST);
    }
    return functions.plus(functions.compareTo(MOST) < 0 ? functions : MOST); // Half of it, or less.
  }

  /// Bytes that may be on their way from and to clients. The rest of the buffers is for what one
  /// turn of the event loops reads, for the runners, and for what the allocator cannot use.
  public ByteSize traffic() {
    return new ByteSize(Math.max(1, direct.bytes() / 5 * 2));
  }

  /// Of the heap: what functions printed and the disk has not taken yet.
  public ByteSize logs() {
    return new ByteSize(heap.bytes() / 4);
  }

  /// Of the heap: functions that were looked up, unless the configuration says otherwise.
  public ByteSize functions() {
    return new ByteSize(heap.bytes() / 16);
  }

  /// Of the heap: documents of the registry that were read.
  public ByteSize documents() {
    return new ByteSize(heap.bytes() / 32);
  }

  /// Connections all servers may have together. Half of the descriptors are left to the engine.
  public int connections() {
    long fit = Math.min(heap.bytes() / CONNECTION_BYTES, descriptors / 2);
    return Math.clamp(fit, MIN_CONNECTIONS, Integer.MAX_VALUE);
  }

  /// All of it: what is to be kept from functions.
  public ByteSize total() {
    return heap.plus(direct).plus(FIXED);
  }

  @Override
  public String toString() {
    return "memory: heap "
        + heap
        + " ("
        + logs().mebibytes()
        + "MiB for logs that wait, "
        + functions().plus(documents()).mebibytes()
        + "MiB for documents), buffers "
        + direct
        + " ("
        + traffic().mebibytes()
        + "MiB for requests and answers), the JVM itself "
        + FIXED
        + ", together "
        + total()
        + "; at most "
        + connections()
        + " connections";
  }

  private static long openFiles() {
    try {
      Matcher limit = OPEN_FILES.matcher(Files.readString(Path.of("/proc/self/limits")));
      return limit.find() ? Long.parseLong(limit.group(1)) : Long.MAX_VALUE;
    } catch (IOException _) {
      return Long.MAX_VALUE; // Not Linux, or hidden: the memory is limit enough.
    }
  }
}
