package io.easyfaas.funclet.code;

import static java.util.Comparator.comparing;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.disk.FairShare;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the unpacked archives take, who holds them, and which goes first when there is too much.
/// Pure. Not thread-safe; owned by {@link CodeCache}, under its lock.
final class CodeUses {
  private record Use(DiskUse size, Instant last) {}

  private final DiskUse limit;
  private final Map<CodeKey, Use> uses = new HashMap<>();
  private final Map<CodeKey, Integer> holders = new HashMap<>();

  /// @param limit of all together
  CodeUses(DiskUse limit) {
    this.limit = limit;
  }

  /// Adds an archive, or what is known of one.
  void put(CodeKey key, DiskUse size, Instant lastUse) {
    uses.put(key, new Use(size, lastUse));
  }

  void remove(CodeKey key) {
    uses.remove(key);
  }

  /// One more holder: it stays until all have let go.
  void hold(CodeKey key, Instant now) {
    holders.merge(key, 1, Integer::sum);
    uses.computeIfPresent(key, (_, use) -> new Use(use.size(), now));
  }

  void release(CodeKey key) {
    holders.computeIfPresent(key, (_, count) -> count == 1 ? null : count - 1);
  }

  boolean isHeld(CodeKey key) {
    return holders.containsKey(key);
  }

  /// The archive that is to go: the one nobody holds that was not used for longest, of the account
  /// that has most, as long as that has at least an equal share. Empty when the rest fits, or all
  /// that could go is in use.
  Optional<CodeKey> victim() {
    Map<String, DiskUse> accounts = new HashMap<>();
    Set<String> giving = new HashSet<>();
    uses.forEach((key, use) -> {
      accounts.merge(key.account(), use.size(), DiskUse::plus);
      if (!isHeld(key)) {
        giving.add(key.account());
      }
    });
    return FairShare.givers(accounts, limit).stream()
        .filter(giving::contains)
        .findFirst()
        .flatMap(account ->
            uses.entrySet().stream()
                .filter(use -> use.getKey().account().equals(account) && !isHeld(use.getKey()))
                .min(comparing(use -> use.getValue().last()))
                .map(Map.Entry::getKey));
  }
}
