package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RouterTest {
  private final Router router =
      Router.builder()
          .route("GET", "/hello", (_, _) -> HttpResponse.text(200, "hello"))
          .route("GET", "/v1/functions/special", (_, _) -> HttpResponse.text(200, "special"))
          .route("GET", "/v1/functions/{name}", (_, p) -> HttpResponse.text(200, "get " + p))
          .route("PUT", "/v1/functions/{name}", (_, p) -> HttpResponse.text(200, "put " + p))
          .route("HEAD", "/own-head", (_, _) -> HttpResponse.text(200, "head"))
          .route("GET", "/own-head", (_, _) -> HttpResponse.text(200, "get"))
          .route("*", "/any/{a}/{b}", (r, p) -> HttpResponse.text(200, r.method() + p))
          .build();

  @Test
  void findsTheRouteByMethodAndPath() {
    assertThat(send("GET", "/hello?x=1").text()).isEqualTo("hello");
    assertThat(send("GET", "/v1/functions/a%3Ab").text()).isEqualTo("get [a:b]");
    assertThat(send("PUT", "/v1/functions/a").text()).isEqualTo("put [a]");
    assertThat(send("BREW", "/any/1/2").text()).isEqualTo("BREW[1, 2]");
  }

  @Test
  void takesTheFirstRouteThatMatches() {
    assertThat(send("GET", "/v1/functions/special").text()).isEqualTo("special");
  }

  @Test
  void answersAnUnknownPathWith404() {
    for (String path : new String[] {"/", "/nothing", "/hello/more", "/v1/functions"}) {
      HttpResponse response = send("GET", path);

      assertThat(response.status()).isEqualTo(404);
      assertThat(response.text()).contains("ResourceNotFoundException", "no such path");
    }
  }

  @Test
  void answersAnotherMethodWith405AndTheOnesThatAreAllowed() {
    HttpResponse response = send("DELETE", "/v1/functions/a");

    assertThat(response.status()).isEqualTo(405);
    assertThat(response.header("Allow")).contains("GET, OPTIONS, PUT");
    assertThat(response.body()).isEmpty();
  }

  @Test
  void answersOptionsWithTheMethodsThatAreAllowed() {
    HttpResponse response = send("OPTIONS", "/hello");

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.header("Allow")).contains("GET, OPTIONS");
  }

  @Test
  void answersHeadByTheRouteForGetUnlessItHasItsOwn() {
    assertThat(send("HEAD", "/hello").text()).isEqualTo("hello");
    assertThat(send("HEAD", "/own-head").text()).isEqualTo("head");
  }

  private HttpResponse send(String method, String target) {
    return router.handle(HttpRequest.of(method, target));
  }
}
