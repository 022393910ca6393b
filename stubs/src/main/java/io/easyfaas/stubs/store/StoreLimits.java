package io.easyfaas.stubs.store;

import io.easyfaas.common.disk.DiskUse;

/// How much of the disk functions may take.
///
/// @param total of all accounts
/// @param account of one account
public record StoreLimits(DiskUse total, DiskUse account) {
  /// As good as none.
  public static final StoreLimits NONE =
      new StoreLimits(
          new DiskUse(Long.MAX_VALUE, Long.MAX_VALUE), new DiskUse(Long.MAX_VALUE, Long.MAX_VALUE));
}
