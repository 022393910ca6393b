package io.easyfaas.funclet.container;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ErrorCode;
import java.util.HashMap;
import java.util.Map;

/// Who has reserved how much memory. The sum never exceeds what can be allocated. Thread-safe.
public final class MemoryLedger {
  private final ByteSize allocatable;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Map<ContainerId, ByteSize> reserved = new HashMap<>();

  @GuardedBy("lock")
  private ByteSize used = ByteSize.ZERO;

  /// An empty ledger.
  public MemoryLedger(ByteSize allocatable) {
    this.allocatable = allocatable;
  }

  /// Reserves memory for a container, in place of what it has reserved.
  ///
  /// @throws ApiException when there is not enough left; nothing is changed then
  void reserve(ContainerId container, ByteSize size) {
    synchronized (lock) {
      ByteSize others = used.minus(reserved.getOrDefault(container, ByteSize.ZERO));
      if (size.compareTo(allocatable.minus(others)) > 0) {
        throw new ApiException(
            ErrorCode.TOO_MANY_REQUESTS,
            "memory: "
                + size
                + " for "
                + container
                + " (expected: at most "
                + allocatable.minus(others)
                + ", which is left of "
                + allocatable
                + ")");
      }
      reserved.put(container, size);
      used = others.plus(size);
    }
  }

  /// Gives a container's reservation back. Safe to call twice.
  void release(ContainerId container) {
    synchronized (lock) {
      ByteSize size = reserved.remove(container);
      if (size != null) {
        used = used.minus(size);
      }
    }
  }

  /// The sum of all reservations.
  public ByteSize used() {
    synchronized (lock) {
      return used;
    }
  }

  /// What can be reserved in all.
  public ByteSize allocatable() {
    return allocatable;
  }
}
