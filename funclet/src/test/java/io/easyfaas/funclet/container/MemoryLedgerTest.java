package io.easyfaas.funclet.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class MemoryLedgerTest {
  private static final ContainerId A = new ContainerId("a");
  private static final ContainerId B = new ContainerId("b");

  private final MemoryLedger ledger = new MemoryLedger(ByteSize.ofMebibytes(256));

  @Test
  void whatIsReservedIsUsedUntilItIsReleased() {
    ledger.reserve(A, ByteSize.ofMebibytes(128));
    ledger.reserve(B, ByteSize.ofMebibytes(128));
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(256));

    ledger.release(A);
    ledger.release(A);
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(128));
  }

  @Test
  void moreThanIsLeftIsRefusedAndChangesNothing() {
    ledger.reserve(A, ByteSize.ofMebibytes(200));

    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> ledger.reserve(B, ByteSize.ofMebibytes(57)))
        .withMessageContaining("57MiB for b (expected: at most 56MiB, which is left of 256MiB)")
        .satisfies(failure -> assertThat(failure.code()).isEqualTo(ErrorCode.TOO_MANY_REQUESTS));
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(200));
  }

  @Test
  void aSecondReservationTakesThePlaceOfTheFirst() {
    ledger.reserve(A, ByteSize.ofMebibytes(1));
    ledger.reserve(A, ByteSize.ofMebibytes(100));
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(100));

    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> ledger.reserve(A, ByteSize.ofMebibytes(257)))
        .withMessageContaining("expected: at most 256MiB");
    assertThat(ledger.used()).isEqualTo(ByteSize.ofMebibytes(100));
  }

  /// Random threads reserve and release; whatever they see, the sum is never above the limit, and
  /// in the end it is nothing.
  @Test
  void theSumNeverExceedsTheLimit() throws Exception {
    long seed = System.nanoTime();
    List<Future<Integer>> threads = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
      for (int thread = 0; thread < 4; thread++) {
        Random random = new Random(seed + thread);
        ContainerId id = new ContainerId("c" + thread);
        threads.add(
            executor.submit(() -> {
              int refused = 0;
              for (int i = 0; i < 20_000; i++) {
                try {
                  ledger.reserve(id, ByteSize.ofMebibytes(1 + random.nextInt(200)));
                } catch (ApiException _) {
                  refused++;
                }
                assertThat(ledger.used()).isLessThanOrEqualTo(ledger.allocatable());
                ledger.release(id);
              }
              return refused;
            }));
      }
    }
    int refused = 0;
    for (Future<Integer> thread : threads) {
      refused += thread.get();
    }
    assertThat(refused).as("seed %d", seed).isPositive();
    assertThat(ledger.used()).isEqualTo(ByteSize.ZERO);
  }
}
