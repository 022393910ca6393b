package io.easyfaas.stubs.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.json.Json;
import java.util.Optional;

/// The documents that are read most, so that a registry asked again and again for the same revision
/// reads no file. Bounded by what they take of the memory. Thread-safe.
///
/// Filled and emptied only under the function's lock; read without it.
final class RevisionCache {
  static final long MAX_BYTES = MemoryPlan.ofThisProcess().documents().bytes();

  private static final int ENTRY_BYTES = 2048; // Records, BRN, and the headers of all texts.
  private static final int PAIR_BYTES = 128; // A name and a value in a map, and the map's share.

  private final Cache<FunctionBrn, FunctionDocument> documents =
      Caffeine.newBuilder()
          .maximumWeight(MAX_BYTES)
          .<FunctionBrn, FunctionDocument>weigher((_, document) -> weight(document))
          .executor(Runnable::run) // Housekeeping is short, and this makes no threads.
          .build();

  Optional<FunctionDocument> find(FunctionBrn revision) {
    return Optional.ofNullable(documents.getIfPresent(revision));
  }

  void put(FunctionBrn revision, FunctionDocument document) {
    documents.put(revision, document);
  }

  void remove(FunctionBrn revision) {
    documents.invalidate(revision);
  }

  /// How many bytes the documents take, about.
  long bytes() {
    documents.cleanUp();
    return documents.policy().eviction().orElseThrow().weightedSize().orElse(0);
  }

  private static int weight(FunctionDocument document) {
    int pairs = document.configuration().variables().size() + document.tags().size();
    return ENTRY_BYTES + PAIR_BYTES * pairs + Json.PASCAL.write(document).length;
  }
}
