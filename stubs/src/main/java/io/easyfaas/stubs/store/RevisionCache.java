package io.easyfaas.stubs.store;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.function.FunctionDocument;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The documents that were read or written last, so that a registry asked again and again for the
/// same revision reads no file. Bounded. Thread-safe.
///
/// Filled and emptied only under the function's lock; read without it.
final class RevisionCache {
  private static final int MAX_REVISIONS = 1024;

  @GuardedBy("this")
  private final Map<FunctionBrn, FunctionDocument> documents =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<FunctionBrn, FunctionDocument> eldest) {
          return size() > MAX_REVISIONS;
        }
      };

  synchronized Optional<FunctionDocument> find(FunctionBrn revision) {
    return Optional.ofNullable(documents.get(revision));
  }

  synchronized void put(FunctionBrn revision, FunctionDocument document) {
    documents.put(revision, document);
  }

  synchronized void remove(FunctionBrn revision) {
    documents.remove(revision);
  }
}
