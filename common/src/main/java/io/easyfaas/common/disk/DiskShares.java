package io.easyfaas.common.disk;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// What each owner takes of a disk, what all take together, and who gives when that is too much:
/// those who have at least an equal share of what is scarce. Whoever has less keeps what it has,
/// however much the others take. As long as all fits, no question depends on how many they are. Not
/// thread-safe.
public final class DiskShares {
  private final Map<String, DiskUse> owners = new HashMap<>();
  private DiskUse total = DiskUse.NONE;

  /// What all take.
  public DiskUse total() {
    return total;
  }

  /// What one takes.
  public DiskUse of(String owner) {
    return owners.getOrDefault(owner, DiskUse.NONE);
  }

  /// Adds something to what an owner takes.
  public void add(String owner, DiskUse use) {
    owners.merge(owner, use, DiskUse::plus);
    total = total.plus(use);
  }

  /// Takes something away.
  ///
  /// @throws IllegalArgumentException when the owner does not take as much
  public void remove(String owner, DiskUse use) {
    DiskUse rest = of(owner).minus(use);
    if (rest.equals(DiskUse.NONE)) {
      owners.remove(owner);
    } else {
      owners.put(owner, rest);
    }
    total = total.minus(use);
  }

  /// Forgets all.
  public void clear() {
    owners.clear();
    total = DiskUse.NONE;
  }

  /// The owners that are to give, the largest first, of equals by name; empty when all fits.
  ///
  /// @param limit of all together
  public List<String> givers(DiskUse limit) {
    if (total.fits(limit)) {
      return List.of();
    }
    boolean bytesAreScarcer =
        (double) total.bytes() / Math.max(1, limit.bytes())
            >= (double) total.inodes() / Math.max(1, limit.inodes());
    ToDoubleFunction<DiskUse> amount = bytesAreScarcer ? DiskUse::bytes : DiskUse::inodes;
    double equalShare = amount.applyAsDouble(total) / owners.size();
    return owners.entrySet().stream()
        .filter(use -> amount.applyAsDouble(use.getValue()) >= equalShare)
        .sorted(
            Comparator.comparingDouble(
                    (Map.Entry<String, DiskUse> use) -> -amount.applyAsDouble(use.getValue()))
                .thenComparing(Map.Entry::getKey))
        .map(Map.Entry::getKey)
        .toList();
  }
}
