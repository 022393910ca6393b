package io.easyfaas.stubs.store;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/// What functions take of the disk, by account, and whether there is room for more. Counted from
/// what is there at the first question, then kept up to date. Thread-safe; never asked for one
/// function by two threads at once.
final class StoreRoom {
  private final RevisionFiles files;
  private final StoreLimits limits;

  @GuardedBy("this")
  private final Map<FunctionBrn, DiskUse> functions = new HashMap<>();

  @GuardedBy("this")
  private boolean isCounted;

  StoreRoom(RevisionFiles files, StoreLimits limits) {
    this.files = files;
    this.limits = limits;
  }

  /// Sets room aside for a change of a function, which {@link #settle} ends.
  ///
  /// @param function without a version
  /// @param more what the change adds, at most
  /// @throws StoreException naming the limit when there is no room
  synchronized void take(FunctionBrn function, DiskUse more) throws IOException {
    countAll();
    DiskUse ofAccount = more;
    DiskUse ofAll = more;
    for (Map.Entry<FunctionBrn, DiskUse> other : functions.entrySet()) {
      ofAll = ofAll.plus(other.getValue());
      if (other.getKey().account().equals(function.account())) {
        ofAccount = ofAccount.plus(other.getValue());
      }
    }
    check(function, ofAccount, limits.account(), "an account", "--functions-account-");
    check(function, ofAll, limits.total(), "all accounts", "--functions-");
    functions.merge(function, more, DiskUse::plus);
  }

  /// Counts what a function takes now.
  synchronized void settle(FunctionBrn function) throws IOException {
    DiskUse use = files.use(function);
    if (use.equals(DiskUse.NONE)) {
      functions.remove(function);
    } else {
      functions.put(function, use);
    }
  }

  private synchronized void countAll() throws IOException {
    if (!isCounted) {
      for (FunctionBrn revision : files.list()) {
        FunctionBrn function = FunctionStore.unqualified(revision);
        if (!functions.containsKey(function)) {
          settle(function);
        }
      }
      isCounted = true;
    }
  }

  private static void check(
      FunctionBrn function, DiskUse use, DiskUse limit, String whose, String settings) {
    if (!use.fits(limit)) {
      throw new StoreException(
          ErrorCode.STORAGE_EXCEEDED,
          "store "
              + function
              + ": the functions of "
              + whose
              + " would take "
              + use
              + " (expected: at most "
              + limit
              + ", see "
              + settings
              + "size and "
              + settings
              + "inodes)",
          null);
    }
  }
}
