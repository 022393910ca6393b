package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Marks of the functions that are being deleted, so that the next start finishes what a crash
/// interrupted. Not thread-safe for one function; owned by {@link Removal}.
final class DeletionMarks {
  private static final Logger LOG = LoggerFactory.getLogger(DeletionMarks.class);

  private final Path directory;
  private final Disk disk;

  DeletionMarks(Path directory, Disk disk) {
    this.directory = directory;
    this.disk = disk;
  }

  /// Marks a function, durably, if there is room: on a full disk deleting is the way out, and works
  /// without. Then a crash can leave a part of the function, which can be deleted again.
  ///
  /// @param function without a version
  void begin(FunctionBrn function) {
    if (isMarked(function)) {
      return;
    }
    Path mark = mark(function);
    try {
      disk.write(mark, new byte[0]);
      disk.sync(directory);
    } catch (IOException e) {
      LOG.warn("{}: {}; {} is deleted without", mark, e.toString(), function);
      disk.discard(mark);
    }
  }

  boolean isMarked(FunctionBrn function) {
    return Files.exists(mark(function), NOFOLLOW_LINKS);
  }

  /// Removes a function's mark, if there is one.
  void end(FunctionBrn function) throws IOException {
    if (isMarked(function)) {
      disk.deleteTree(mark(function));
      disk.sync(directory);
    }
  }

  /// Every function that is marked; what is no mark is named in the log and left alone.
  List<FunctionBrn> begun() throws IOException {
    List<FunctionBrn> functions = new ArrayList<>();
    for (Path mark : disk.children(directory)) {
      try {
        FunctionBrn function = FunctionBrn.parse(mark.getFileName().toString());
        if (function.qualifier() instanceof Qualifier.Absent) {
          functions.add(function);
          continue;
        }
      } catch (InvalidBrnException _) {
        // Not made by us.
      }
      LOG.warn("{} is left out: no function's name", mark);
    }
    return functions;
  }

  private Path mark(FunctionBrn function) {
    return directory.resolve(function.toString());
  }
}
