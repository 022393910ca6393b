package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ErrorDocument;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What of RFC 9112 is a request, and what is none.
@Timeout(60)
final class RequestFormTest {
  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final HttpServer server =
      HttpServer.start(
          new HttpAddress.Tcp("127.0.0.1", 0),
          loops,
          1000,
          Router.builder()
              .route("GET", "/a/{b}", (request, b) -> HttpResponse.text(200, b + request.text()))
              .route("POST", "/a", (request, _) -> HttpResponse.text(200, request.text()))
              .build());

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterEach
  void closeServer() {
    server.close();
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GET /a/b HTTP/1.1;Host: x                              | 200
          GET http://x/a/b HTTP/1.1;Host: x                      | 200
          GET http://x/a/b?c=d HTTP/1.1;Host: x                  | 200
          GET HTTPS://x:80/a/b HTTP/1.1;Host: x                  | 200
          GET http://x HTTP/1.1;Host: x                          | 404
          GET /a/b HTTP/1.1                                      | 400
          GET /a/b HTTP/1.1;Host: x;Host: x                      | 400
          GET /a/b HTTP/1.1;Host:                                | 200
          GET /a/b HTTP/1.1;Host: a b                            | 400
          GET /a/b HTTP/1.1;Host: x/y                            | 400
          GET /a/b HTTP/1.1;Host: [::1]:80                       | 200
          GET /a/b HTTP/1.0                                      | 200
          GET /a/b HTTP/1.0;Host: x;Host: x                      | 400
          GET /a/b/ HTTP/1.1;Host: x                             | 200
          GET /a//b HTTP/1.1;Host: x                             | 200
          GET a/b HTTP/1.1;Host: x                               | 400
          GET * HTTP/1.1;Host: x                                 | 400
          OPTIONS * HTTP/1.1;Host: x                             | 200
          OPTIONS /a/b HTTP/1.1;Host: x                          | 200
          CONNECT x:80 HTTP/1.1;Host: x                          | 400
          get /a/b HTTP/1.1;Host: x                              | 405
          POST /a/b HTTP/1.1;Host: x                             | 405
          GET /a/b;Host: x                                       | 400
          GET  /a/b HTTP/1.1;Host: x                             | 200
          OPTIONS http://x HTTP/1.1;Host: x                      | 200
          GET ftp://x/a/b HTTP/1.1;Host: x                       | 400
          GET http:///a/b HTTP/1.1;Host: x                       | 400
          GET http://x?a=b HTTP/1.1;Host: x                      | 404
          GET /a/b HTTP/2.0;Host: x                              | 505
          GET /a/b HTTP/1.2;Host: x                              | 200
          GET /a/b FTP/1.1;Host: x                               | 400
          GET /a/b HTTP/1.1;Host : x                             | 400
          GET /a/b HTTP/1.1; Host: x                             | 400
          GET /a/b HTTP/1.1;Host: x;A: b; c                      | 200
          GET /a/b HTTP/1.1;Host: x;A                            | 400
          GET /a/b HTTP/1.1;Host: x;: b                          | 400
          GET /a/b HTTP/1.1;Host: x;A@: b                        | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: 1;Content-Length: 2                | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: 1, 2                               | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: -1                                 | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: +1                                 | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: x                                  | 400
          GET /a/b HTTP/1.1;Host: x;Content-Length: 3;Transfer-Encoding: chunked       | 400
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: gzip                            | 400
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: chunked, gzip                   | 400
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: chunked;Transfer-Encoding: gzip | 400
          GET /a/b HTTP/1.0;Transfer-Encoding: chunked                                 | 400
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: Chunked                         | 200
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: gzip, chunked                   | 501
          GET /a/b HTTP/1.1;Host: x;Transfer-Encoding: gzip;Transfer-Encoding: chunked | 501
          """)
  void isARequestOrNone(String head, int status) throws IOException {
    try (RawConnection client = new RawConnection(server.port())) {
      client.send(head.replace(";", "\r\n") + "\r\n\r\n0\r\n\r\n");

      HttpResponse response = client.read();
      assertThat(response.status()).as(head).isEqualTo(status);
      if (status >= 400 && status != 405) { // Which says it in a header.
        assertThat(response.header("Content-Type")).contains("application/json");
        assertThat(Json.PASCAL.read(response.body(), ErrorDocument.class).status())
            .isEqualTo(status);
      }
    }
  }
}
