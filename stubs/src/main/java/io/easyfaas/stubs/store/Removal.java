package io.easyfaas.stubs.store;

import io.easyfaas.common.brn.FunctionBrn;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How revisions and functions go, in an order that a crash and a full disk may interrupt anywhere.
/// Not thread-safe for one function; owned by {@link FunctionStore}, which explains the protocol.
final class Removal {
  private static final Logger LOG = LoggerFactory.getLogger(Removal.class);

  private final DeletionMarks marks;
  private final RevisionFiles files;
  private final VersionNumbers numbers;
  private final StoreRoom room;
  private final Consumer<FunctionBrn> forget;

  /// @param forget drops what is remembered of a revision that goes, whether it then can or not
  Removal(
      DeletionMarks marks,
      RevisionFiles files,
      VersionNumbers numbers,
      StoreRoom room,
      Consumer<FunctionBrn> forget) {
    this.marks = marks;
    this.files = files;
    this.numbers = numbers;
    this.room = room;
    this.forget = forget;
  }

  /// The highest number any version of a function has or ever had; 0 when there never was one.
  ///
  /// @param function without a version
  long highest(FunctionBrn function) throws IOException {
    return Math.max(numbers.of(function), highest(files.list(function)));
  }

  /// Removes one revision, if it is there.
  void remove(FunctionBrn revision) throws IOException {
    FunctionBrn function = revision.unqualified();
    long highest = highest(files.list(function));
    boolean isRemembered = rememberIfThereIsRoom(function, highest);
    removeFiles(revision);
    if (!isRemembered) {
      rememberIfThereIsRoom(function, highest);
    }
  }

  /// Removes a function with all its revisions.
  ///
  /// @param function without a version
  /// @return the revisions there were
  List<FunctionBrn> removeFunction(FunctionBrn function) throws IOException {
    List<FunctionBrn> revisions = files.list(function);
    long highest = highest(revisions);
    boolean isRemembered = rememberIfThereIsRoom(function, highest);
    marks.begin(function);
    removeAll(revisions);
    marks.end(function);
    if (!isRemembered) {
      rememberIfThereIsRoom(function, highest);
    }
    return revisions;
  }

  /// Removes the rest of a function that is marked.
  void finish(FunctionBrn function) throws IOException {
    if (marks.isMarked(function)) {
      removeAll(files.list(function));
      marks.end(function);
    }
  }

  /// Removes the rest of every function that is marked.
  void finishAll() throws IOException {
    for (FunctionBrn function : marks.begun()) {
      LOG.info("finishing the deletion of {}", function);
      finish(function);
    }
  }

  private void removeAll(List<FunctionBrn> revisions) throws IOException {
    for (FunctionBrn revision : revisions) {
      removeFiles(revision);
    }
  }

  private void removeFiles(FunctionBrn revision) throws IOException {
    forget.accept(revision); // Also if it cannot be removed: how far that got, only the disk knows.
    files.remove(revision);
    room.settle(revision);
  }

  /// On a full disk a number is remembered after something was removed.
  ///
  /// @return whether it is remembered
  private boolean rememberIfThereIsRoom(FunctionBrn function, long number) {
    try {
      numbers.remember(function, number);
      room.settle(function);
      return true;
    } catch (IOException e) {
      LOG.warn("the highest version of {} is {}: {}", function, number, e.toString());
      return false;
    }
  }

  private static long highest(List<FunctionBrn> revisions) {
    return revisions.stream().mapToLong(RevisionFiles::number).max().orElse(0);
  }
}
