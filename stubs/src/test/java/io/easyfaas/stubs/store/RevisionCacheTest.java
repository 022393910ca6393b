package io.easyfaas.stubs.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.FunctionBrn;
import org.junit.jupiter.api.Test;

class RevisionCacheTest {
  @Test
  void documentsStayWithinTheirBytes() {
    RevisionCache cache = new RevisionCache();

    for (int i = 0; i < 1000; i++) {
      FunctionBrn revision = StoreFixture.brn("f" + i, "$LATEST");
      cache.put(revision, StoreFixture.document(revision, "x".repeat(20_000), "sha"));
    }

    assertThat(cache.bytes()).isBetween(RevisionCache.MAX_BYTES / 2, RevisionCache.MAX_BYTES);
  }
}
