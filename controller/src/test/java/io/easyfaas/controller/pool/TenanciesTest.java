package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import org.junit.jupiter.api.Test;

class TenanciesTest {
  private final Tenancies tenancies = new Tenancies(() -> 0);
  private final ResolvedFunction function = PoolHarness.function("f", Traits.of("echo"));

  @Test
  void functionResolvedAgainHasTheSameTenancyAndItsNewLimits() {
    Tenancy tenancy = tenancies.of(function);
    ResolvedFunction again = PoolHarness.function("f", Traits.of("echo").reserved(3));

    assertThat(tenancies.of(again)).isSameAs(tenancy);
    assertThat(tenancy.function).isSameAs(again);
    assertThat(tenancies.of(function)).isSameAs(tenancy);
    assertThat(tenancy.function).isSameAs(function);
    assertThat(tenancies.all()).containsExactly(tenancy);
  }

  @Test
  void otherFunctionsHaveOthers() {
    Tenancy tenancy = tenancies.of(function);

    assertThat(tenancies.of(PoolHarness.function("g", Traits.of("echo")))).isNotSameAs(tenancy);
    assertThat(tenancies.all()).hasSize(2);
  }

  @Test
  void unusedTenancyIsForgottenWhicheverObjectAsks() {
    Tenancy tenancy = tenancies.of(function);
    ResolvedFunction again = PoolHarness.function("f", Traits.of("echo"));
    tenancies.of(again);

    tenancies.forgetUnused(tenancy);

    assertThat(tenancies.all()).isEmpty();
    assertThat(tenancies.find(function)).isNull();
    assertThatThrownBy(() -> tenancies.get(function)).hasMessageEndingWith("has no slot");
    assertThat(tenancies.of(again)).isNotSameAs(tenancy);
    assertThat(tenancies.of(function)).isNotSameAs(tenancy);
  }

  @Test
  void tenancyWithACallIsNotForgotten() {
    Tenancy tenancy = tenancies.of(function);
    tenancy.inFlight = 1;

    tenancies.forgetUnused(tenancy);

    assertThat(tenancies.find(function)).isSameAs(tenancy);
  }
}
