package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.DiskShares;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.common.hash.Digests;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The files of all user logs: `<root>/<BRN with version>/output.log`, and what was put aside as
/// `output.log.1` (the youngest) and so on. Not thread-safe; owned by {@link UserLog}'s thread.
///
/// **Limits.** A file is put aside before it gets too large, and the oldest of too many is removed.
/// When all files together take too much, the account that has most of them loses the oldest file
/// of its function that was silent for longest, until the rest fits: who writes little keeps what
/// it has, however much others write. A restart counts what is there.
final class LogFiles {
  private static final Logger LOG = LoggerFactory.getLogger(LogFiles.class);
  static final String NAME = "output.log";

  private static final FileAttribute<Set<PosixFilePermission>> MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----"));
  private static final Set<OpenOption> APPENDING = Set.of(CREATE, WRITE, APPEND, NOFOLLOW_LINKS);

  private record Kept(String account, DiskUse use, FileTime lastWrite) {}

  private final Path root;
  private final ByteSize fileLimit;
  private final int maxFiles;
  private final DiskUse limit;
  private final Map<String, Kept> functions = new HashMap<>();
  private final DiskShares accounts = new DiskShares();
  private boolean isCounted;
  private long block; // Once it is counted.

  /// @param root made, and what is in it counted, when the first file is
  LogFiles(Path root, UserLogLimits limits) {
    this.root = root;
    this.fileLimit = limits.file();
    this.maxFiles = limits.files();
    this.limit = new DiskUse(limits.total().bytes(), Long.MAX_VALUE);
  }

  /// Where output is appended to.
  @FunctionalInterface
  interface Appending {
    void to(Appender appender) throws IOException;
  }

  /// Takes bytes of whole lines.
  interface Appender {
    void append(ByteBuffer lines) throws IOException;
  }

  /// Has something appended to a function's log.
  ///
  /// @param function its directory's name
  /// @throws IOException when that failed; a part may be written
  void append(String function, Appending output) throws IOException {
    if (!isCounted || !Files.isDirectory(root, NOFOLLOW_LINKS)) {
      LogDirectory.make(root);
      countAll();
    }
    Path directory = root.resolve(function);
    LogDirectory.makeWithin(directory);
    try {
      output.to(lines -> appendTo(directory, lines));
    } finally {
      count(function);
      makeRoom(function);
    }
  }

  private void appendTo(Path directory, ByteBuffer lines) throws IOException {
    Path file = directory.resolve(NAME);
    SmallFile.clear(file);
    long size = Files.exists(file, NOFOLLOW_LINKS) ? Files.size(file) : 0;
    while (lines.hasRemaining()) {
      int fits = fitting(lines, fileLimit.bytes() - size, size == 0);
      try (FileChannel channel = FileChannel.open(file, APPENDING, MODE)) {
        ByteBuffer now = lines.slice(lines.position(), fits);
        while (now.hasRemaining()) {
          channel.write(now);
        }
      }
      lines.position(lines.position() + fits);
      if (lines.hasRemaining()) {
        putAside(directory);
        size = 0;
      }
    }
  }

  /// How many of the bytes fit into so much room: whole lines, unless not one fits into a file.
  private static int fitting(ByteBuffer lines, long room, boolean isEmpty) {
    if (lines.remaining() <= room) {
      return lines.remaining();
    }
    for (int end = (int) Math.max(0, room); end > 0; end--) {
      if (lines.get(lines.position() + end - 1) == '\n') {
        return end;
      }
    }
    return isEmpty ? (int) room : 0;
  }

  private void putAside(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    for (int older = maxFiles - 1; older >= 1; older--) {
      Path from = older == 1 ? file : aside(directory, older - 1);
      if (Files.exists(from, NOFOLLOW_LINKS)) {
        DiskTree.delete(aside(directory, older));
        Files.move(from, aside(directory, older));
      }
    }
    Files.deleteIfExists(file); // Still there when one file is all that is kept.
  }

  private void countAll() throws IOException {
    functions.clear();
    accounts.clear();
    block = DiskUse.blockSize(root);
    for (Path directory : children(root)) {
      if (Files.isDirectory(directory, NOFOLLOW_LINKS)) {
        try {
          count(directory.getFileName().toString());
        } catch (IOException e) {
          LOG.warn("{} is not counted: {}", directory, e.toString());
        }
      }
    }
    isCounted = true;
  }

  private void count(String function) throws IOException {
    Kept before = functions.remove(function);
    if (before != null) {
      accounts.remove(before.account(), before.use());
    }
    Path directory = root.resolve(function);
    if (!Files.isDirectory(directory, NOFOLLOW_LINKS)) {
      return;
    }
    Kept now = new Kept(account(function), DiskTree.use(directory, block), lastWrite(directory));
    functions.put(function, now);
    accounts.add(now.account(), now.use());
  }

  /// @param current function whose youngest file is the last to go
  private void makeRoom(String current) throws IOException {
    while (true) {
      Optional<String> victim =
          accounts.givers(limit).stream()
              .findFirst()
              .flatMap(account -> longestSilent(account, current));
      if (victim.isEmpty()) {
        return;
      }
      removeOldest(victim.get());
      count(victim.get());
    }
  }

  private Optional<String> longestSilent(String account, String current) {
    return functions.entrySet().stream()
        .filter(function -> function.getValue().account().equals(account))
        .min(
            Comparator.comparing(
                    (Map.Entry<String, Kept> function) -> function.getKey().equals(current))
                .thenComparing(function -> function.getValue().lastWrite()))
        .map(Map.Entry::getKey);
  }

  private void removeOldest(String function) throws IOException {
    Path directory = root.resolve(function);
    for (int older = maxFiles - 1; older >= 1; older--) {
      Path aside = aside(directory, older);
      if (Files.exists(aside, NOFOLLOW_LINKS)) {
        DiskTree.delete(aside);
        return;
      }
    }
    DiskTree.delete(directory); // Files of earlier settings too.
  }

  private static FileTime lastWrite(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    return Files.getLastModifiedTime(
        Files.exists(file, NOFOLLOW_LINKS) ? file : directory, NOFOLLOW_LINKS);
  }

  private static Path aside(Path directory, int number) {
    return directory.resolve(NAME + "." + number);
  }

  /// The directory of a revision: its BRN, or a hash where a registry has names of its own.
  static String directoryName(ResolvedFunction function) {
    String brn = function.key().brn();
    try {
      return FunctionBrn.parse(brn).withQualifier(Qualifier.parse(function.version())).toString();
    } catch (InvalidBrnException _) {
      return "other-" + sha256(brn + ":" + function.version());
    }
  }

  private static String sha256(String text) {
    return HexFormat.of().formatHex(Digests.sha256().digest(text.getBytes(UTF_8)));
  }

  private static String account(String function) {
    try {
      return FunctionBrn.parse(function).account();
    } catch (InvalidBrnException _) {
      return function;
    }
  }

  private static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found.toList();
    }
  }
}
