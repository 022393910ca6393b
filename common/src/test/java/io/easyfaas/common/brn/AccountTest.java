package io.easyfaas.common.brn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class AccountTest {
  @Test
  void hashesTheDefaultAccountToTheFieldThatExistingBrnsCarry() {
    assertThat(Account.DEFAULT.hash()).isEqualTo("8f6e5a28c663957ea04522547a66d08f");
  }

  @Test
  void hashesDifferentAccountsDifferently() {
    assertThat(new Account("alice").hash()).isNotEqualTo(new Account("bob").hash());
  }

  @Test
  void hasNoEmptyId() {
    assertThatThrownBy(() -> new Account("")).hasMessage("account: \"\" (expected: a user id)");
  }
}
