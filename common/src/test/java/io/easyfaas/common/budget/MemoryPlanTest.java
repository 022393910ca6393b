package io.easyfaas.common.budget;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import org.junit.jupiter.api.Test;

final class MemoryPlanTest {
  private final MemoryPlan shipped =
      new MemoryPlan(ByteSize.ofMebibytes(256), ByteSize.ofMebibytes(160), 1 << 20);

  @Test
  void theShippedPlan() {
    assertThat(shipped.traffic()).isEqualTo(ByteSize.ofMebibytes(64));
    assertThat(shipped.connections()).isEqualTo(4096);
    assertThat(shipped.total()).isEqualTo(ByteSize.ofMebibytes(544));
    assertThat(shipped)
        .hasToString(
            "memory: heap 256MiB (64MiB for logs that wait, 24MiB for documents), buffers 160MiB"
                + " (64MiB for requests and answers), the JVM itself 128MiB, together 544MiB; at most"
                + " 4096 connections");
  }

  @Test
  void whatIsKeptShrinksWithTheHeap() {
    MemoryPlan least = new MemoryPlan(ByteSize.ofMebibytes(38), ByteSize.ofMebibytes(26), 1024);

    long kept = least.logs().bytes() + least.functions().bytes() + least.documents().bytes();
    assertThat(kept).isLessThan(least.heap().bytes() / 2);
  }

  @Test
  void whatIsOnItsWayFitsTwiceIntoTheBuffers() {
    assertThat(shipped.traffic().bytes() * 2).isLessThan(shipped.direct().bytes());
  }

  @Test
  void halfOfTheDescriptorsAreLeftToTheEngine() {
    assertThat(new MemoryPlan(shipped.heap(), shipped.direct(), 1024).connections()).isEqualTo(512);
  }

  @Test
  void theSmallestPlanTakesTheLargestRequest() {
    MemoryPlan least = new MemoryPlan(ByteSize.ofMebibytes(38), ByteSize.ofMebibytes(26), 1024);

    assertThat(least.traffic()).isGreaterThan(ByteSize.ofMebibytes(6));
    assertThat(least.total()).isEqualTo(ByteSize.ofMebibytes(192));
  }

  @Test
  void saysPartsInWholeMebibytes() {
    MemoryPlan least = new MemoryPlan(ByteSize.ofMebibytes(38), ByteSize.ofMebibytes(26), 1024);

    assertThat(least)
        .hasToString(
            "memory: heap 38MiB (9MiB for logs that wait, 3MiB for documents), buffers 26MiB"
                + " (10MiB for requests and answers), the JVM itself 128MiB, together 192MiB; at most"
                + " 512 connections");
  }

  @Test
  void aProcessThatWasGivenNoneHasTheShippedOne() {
    MemoryPlan plan = MemoryPlan.ofThisProcess();

    assertThat(plan.total()).isEqualTo(shipped.total());
    assertThat(plan.connections()).isPositive();
    assertThat(plan.descriptors()).isPositive();
  }
}
