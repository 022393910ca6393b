package io.easyfaas.funclet.code;

import io.easyfaas.common.disk.DiskShares;
import io.easyfaas.common.disk.DiskUse;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// What the unpacked archives take, who holds them, and which goes first when there is too much.
/// Pure. Not thread-safe; owned by {@link CodeCache}, under its lock.
final class CodeUses {
  private final DiskUse limit;
  private final DiskShares shares = new DiskShares();
  // By account; the one that was used longest ago is the first.
  private final Map<String, SequencedMap<CodeKey, DiskUse>> archives = new HashMap<>();
  private final Map<CodeKey, Integer> holders = new HashMap<>();

  /// @param limit of all together
  CodeUses(DiskUse limit) {
    this.limit = limit;
  }

  /// Adds an archive; of its account's it was used last.
  void put(CodeKey key, DiskUse size) {
    remove(key);
    archives.computeIfAbsent(key.account(), _ -> new LinkedHashMap<>()).put(key, size);
    shares.add(key.account(), size);
  }

  void remove(CodeKey key) {
    SequencedMap<CodeKey, DiskUse> own = archives.get(key.account());
    if (own == null) {
      return;
    }
    DiskUse size = own.remove(key);
    if (size != null) {
      shares.remove(key.account(), size);
    }
    if (own.isEmpty()) {
      archives.remove(key.account());
    }
  }

  /// One more holder: it stays until all have let go.
  void hold(CodeKey key) {
    holders.merge(key, 1, Integer::sum);
    SequencedMap<CodeKey, DiskUse> own = archives.get(key.account());
    if (own == null) {
      return;
    }
    DiskUse size = own.get(key);
    if (size != null) {
      own.putLast(key, size);
    }
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
    return shares.givers(limit).stream()
        .flatMap(account -> Stream.ofNullable(archives.get(account)))
        .flatMap(own -> own.keySet().stream())
        .filter(key -> !isHeld(key))
        .findFirst();
  }
}
