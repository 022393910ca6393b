package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InvokeTest {
  private final TestController engine = new TestController(4, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void answersWithWhatTheFunctionReturns() {
    String brn = engine.registry.add("hello", FakeRegistry.Traits.of("echo"));

    HttpResponse<String> response = engine.invoke(brn, "{\"a\":1}");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"a\":1}");
    assertThat(response.headers().firstValue("X-Easyfaas-Request-Id"))
        .hasValueSatisfying(id ->
            assertThat(id)
                .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    assertThat(response.headers().firstValue("X-Easyfaas-Function-Exectime"))
        .hasValueSatisfying(time -> assertThat(time).matches("[0-9]+\\.[0-9]{3}"));
    assertThat(response.headers().firstValue("X-Easyfaas-Function-Error")).isEmpty();
  }
}
