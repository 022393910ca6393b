package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class PooledFunctionsTest {
  private final PooledFunctions functions =
      new PooledFunctions(new PoolClock(() -> 0, InstantSource.system()));
  private final ResolvedFunction function = PoolHarness.function("f", Traits.of("echo"));

  @Test
  void functionResolvedAgainHasTheSameEntryAndItsNewLimits() {
    PooledFunction entry = functions.of(function);
    ResolvedFunction again = PoolHarness.function("f", Traits.of("echo").reserved(3));

    assertThat(functions.of(again)).isSameAs(entry);
    assertThat(entry.function).isSameAs(again);
    assertThat(functions.of(function)).isSameAs(entry);
    assertThat(entry.function).isSameAs(function);
    assertThat(functions.all()).containsExactly(entry);
  }

  @Test
  void otherFunctionsHaveOthers() {
    PooledFunction entry = functions.of(function);

    assertThat(functions.of(PoolHarness.function("g", Traits.of("echo")))).isNotSameAs(entry);
    assertThat(functions.all()).hasSize(2);
  }

  @Test
  void unusedEntryIsForgottenWhicheverObjectAsks() {
    PooledFunction entry = functions.of(function);
    ResolvedFunction again = PoolHarness.function("f", Traits.of("echo"));
    functions.of(again);

    functions.forgetUnused(entry);

    assertThat(functions.all()).isEmpty();
    assertThat(functions.find(function)).isNull();
    assertThatThrownBy(() -> functions.get(function)).hasMessageEndingWith("has no slot");
    assertThat(functions.of(again)).isNotSameAs(entry);
    assertThat(functions.of(function)).isNotSameAs(entry);
  }

  @Test
  void entryWithACallIsNotForgotten() {
    PooledFunction entry = functions.of(function);
    entry.inFlight = 1;

    functions.forgetUnused(entry);

    assertThat(functions.find(function)).isSameAs(entry);
  }
}
