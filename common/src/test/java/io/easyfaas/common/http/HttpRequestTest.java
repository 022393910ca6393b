package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ApiException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpRequestTest {
  @Test
  void decodesPathSegmentsOneByOne() {
    assertThat(HttpRequest.of("GET", "/v1//functions/a%2Fb/%24LATEST/x+y/?q=/z").path())
        .containsExactly("v1", "functions", "a/b", "$LATEST", "x+y");
  }

  @Test
  void readsTheQuery() {
    HttpRequest request = HttpRequest.of("GET", "/?a=1&b=&c&a=2&d=x%3Dy+z&&e=f=g");

    assertThat(request.query())
        .isEqualTo(Map.of("a", "2", "b", "", "c", "", "d", "x=y z", "e", "f=g"));
    assertThat(request.query("a")).contains("2");
    assertThat(request.query("z")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/%", "/%2", "/%zz", "/a?%=1", "/a?b=%u1"})
  void refusesBrokenEscapesAsTheCallersFault(String target) {
    HttpRequest request = HttpRequest.of("GET", target);

    assertThatThrownBy(
            () -> {
              request.path();
              request.query();
            })
        .isInstanceOf(ApiException.class)
        .hasMessageStartingWith("InvalidParameterValueException: path or query: ");
  }

  @Test
  void findsHeadersInAnyCaseAndTrims() {
    HttpRequest request = HttpRequest.of("GET", "/").withHeader("X-One", " 1 ");

    assertThat(request.header("x-one")).contains("1");
    assertThat(request.header("X-Two")).isEmpty();
  }

  @Test
  void prefersTheHeaderToItsLegacySpelling() {
    HttpRequest legacy = HttpRequest.of("GET", "/").withHeader("X-Bce-Id", "old");

    assertThat(legacy.header("X-Id", "X-Bce-Id")).contains("old");
    assertThat(legacy.withHeader("X-Id", "new").header("X-Id", "X-Bce-Id")).contains("new");
    assertThat(legacy.withHeader("X-Id", "").header("X-Id", "X-Bce-Id")).contains("old");
    assertThat(legacy.withHeader("X-Bce-Id", " ").header("X-Id", "X-Bce-Id")).isEmpty();
  }

  @Test
  void neverChanges() {
    HttpRequest request = HttpRequest.of("GET", "/");

    assertThatThrownBy(() -> request.headers().put("a", "b"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(request.withHeader("a", "b").headers()).isEqualTo(Map.of("a", "b"));
    assertThat(request.headers()).isEmpty();
  }
}
