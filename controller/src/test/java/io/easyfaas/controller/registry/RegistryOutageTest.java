package io.easyfaas.controller.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import org.junit.jupiter.api.Test;

class RegistryOutageTest {
  @Test
  void whatHappenedIsToldInWords() {
    assertThat(RegistryOutage.words(RegistryClient.noAnswer("connect to http://r:1: refused")))
        .isEqualTo("the function registry does not answer: connect to http://r:1: refused");
    assertThat(RegistryOutage.words(new ApiException(ErrorCode.UNAVAILABLE, "")))
        .isEqualTo("the function registry does not answer");
  }
}
