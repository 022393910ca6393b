package io.easyfaas.common.disk;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// Who gives when a disk limit is exceeded: those who have at least an equal share of what is
/// scarce. Whoever has less keeps what it has, however much the others take. Pure.
public final class FairShare {
  private FairShare() {}

  /// The owners that are to give, the largest first, of equals by name; empty when all fits.
  ///
  /// @param uses by owner
  /// @param limit of all together
  public static <O extends Comparable<O>> List<O> givers(Map<O, DiskUse> uses, DiskUse limit) {
    DiskUse total = uses.values().stream().reduce(DiskUse.NONE, DiskUse::plus);
    if (total.fits(limit)) {
      return List.of();
    }
    boolean bytesAreScarcer =
        (double) total.bytes() / Math.max(1, limit.bytes())
            >= (double) total.inodes() / Math.max(1, limit.inodes());
    ToDoubleFunction<DiskUse> amount = bytesAreScarcer ? DiskUse::bytes : DiskUse::inodes;
    double equalShare = amount.applyAsDouble(total) / uses.size();
    return uses.entrySet().stream()
        .filter(use -> amount.applyAsDouble(use.getValue()) >= equalShare)
        .sorted(
            Comparator.comparingDouble(
                    (Map.Entry<O, DiskUse> use) -> -amount.applyAsDouble(use.getValue()))
                .thenComparing(Map.Entry::getKey))
        .map(Map.Entry::getKey)
        .toList();
  }
}
