package io.easyfaas.controller.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.Test;

final class FlightsTest {
  private static final FunctionReference REFERENCE = new FunctionReference("f", "1", "account", "");
  private static final ResolvedFunction FUNCTION = function();

  private final Deque<Runnable> begun = new ArrayDeque<>();
  private boolean hasThreads = true;
  private final Flights flights = new Flights(Duration.ofMillis(1), thread());

  @Test
  void withoutAThreadThoseWhoAskAreToldAndTheNextCanAsk() {
    hasThreads = false;
    for (int i = 0; i < 2 * Flights.MAX_AT_ONCE; i++) {
      CompletableFuture<ResolvedFunction> answer = ask().answer();
      assertThatThrownBy(answer::join).hasRootCauseMessage("no thread");
    }
    hasThreads = true;

    Flights.Flight flight = ask();
    CompletableFuture<ResolvedFunction> answer = flight.answer();
    begun.remove().run();

    assertThat(flight.hasBegun()).isTrue();
    assertThat(answer).isCompletedWithValue(FUNCTION);
  }

  @Test
  void whoComesAfterItHasLandedIsToldToo() {
    Flights.Flight flight = ask();
    begun.remove().run();

    assertThat(flight.answer()).isCompletedWithValue(FUNCTION);
    assertThat(ask()).isNotSameAs(flight);
  }

  @Test
  void whoLeavesDoesNotKeepTheOthersFromTheAnswer() {
    Flights.Flight flight = ask();
    CompletableFuture<ResolvedFunction> leaves = flight.answer();
    CompletableFuture<ResolvedFunction> stays = ask().answer();
    leaves.cancel(false);

    begun.remove().run();

    assertThat(stays).isCompletedWithValue(FUNCTION);
    assertThat(begun).isEmpty();
  }

  private Flights.Flight ask() {
    return flights.join(REFERENCE, () -> FUNCTION);
  }

  /// Threads that run when the test says so.
  private ThreadFactory thread() {
    return task ->
        new Thread(task) {
          @Override
          public void start() {
            if (!hasThreads) {
              throw new OutOfMemoryError("no thread");
            }
            begun.add(task);
          }
        };
  }

  private static ResolvedFunction function() {
    return ResolvedFunction.of(
        FakeRegistry.document("f", "brn:f", Traits.of("echo")),
        new RuntimeConfiguration("r", "/bin/x", "/opt", List.of(), List.of()));
  }
}
