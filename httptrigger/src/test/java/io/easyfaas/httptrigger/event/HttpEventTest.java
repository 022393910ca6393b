package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpEventTest {
  private static final FunctionBrn HELLO =
      FunctionBrn.of(Account.DEFAULT, "hello", Qualifier.LATEST);

  @Test
  void hasTheFormFunctionsExpect() {
    HttpRequest request =
        HttpRequest.of("POST", "/u/hello/1?x=1", "hi \"you\"".getBytes(UTF_8))
            .withHeader("content-TYPE", "text/plain");

    assertThat(json(request))
        .isEqualTo(
            "{\"httpMethod\":\"POST\",\"headers\":{\"Content-Type\":\"text/plain\"},"
                + "\"queryStringParameters\":{\"x\":\"1\"},\"body\":\"hi \\\"you\\\"\","
                + "\"isBase64Encoded\":false,\"path\":\"/u/hello/1\",\"requestContext\":{"
                + "\"requestId\":\"rid\",\"accountId\":\"uid\",\"functionBrn\":\""
                + HELLO
                + "\",\"httpMethod\":\"POST\",\"path\":\"/u/hello/1\"}}");
  }

  @Test
  void spellsHeaderNamesCanonically() {
    HttpRequest request =
        HttpRequest.of("GET", "/u/f")
            .withHeader("x-REQUEST-id", "1")
            .withHeader("HOST", "h")
            .withHeader("a-", "2");

    assertThat(event(request).headers())
        .isEqualTo(Map.of("X-Request-Id", "1", "Host", "h", "A-", "2"));
  }

  @Test
  void decodesTheQueryAndTheLastValueWins() {
    HttpRequest request = HttpRequest.of("GET", "/u/f?a=1&b=x%20y&a=2&c");

    assertThat(event(request).queryStringParameters())
        .isEqualTo(Map.of("a", "2", "b", "x y", "c", ""));
  }

  @Test
  void refusesABrokenQuery() {
    assertThatThrownBy(() -> event(HttpRequest.of("GET", "/u/f?a=%zz")))
        .isInstanceOf(ApiException.class);
  }

  @Test
  void hasAnEmptyTextForNoBody() {
    HttpRequest request =
        HttpRequest.of("GET", "/u/f").withHeader("Content-Type", "application/octet-stream");

    assertThat(event(request).body()).isEmpty();
    assertThat(event(request).isBase64Encoded()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "application/json, false",
    "application/json; charset=utf-8, false",
    "text/html, false",
    "application/x-www-form-urlencoded, false",
    "image/svg+xml, false",
    "'', false",
    "application/bson, true",
    "APPLICATION/Octet-Stream, true",
    "image/png, true",
    "audio/ogg; codecs=opus, true",
    "font/woff2, true",
    "application/zip, true",
  })
  void encodesBodiesOfBinaryTypes(String type, boolean encoded) {
    HttpRequest request =
        HttpRequest.of("POST", "/u/f", "text".getBytes(UTF_8)).withHeader("Content-Type", type);

    Event event = event(request);
    assertThat(event.isBase64Encoded()).isEqualTo(encoded);
    assertThat(event.body()).isEqualTo(encoded ? "dGV4dA==" : "text");
  }

  @Test
  void encodesWhatIsNotUtf8WhateverItsType() {
    byte[] latin = "café".getBytes(ISO_8859_1);
    HttpRequest request =
        HttpRequest.of("POST", "/u/f", latin).withHeader("Content-Type", "text/plain");

    assertThat(event(request).isBase64Encoded()).isTrue();
    assertThat(Base64.getDecoder().decode(event(request).body())).isEqualTo(latin);
  }

  @Test
  void encodesCompressedBodies() {
    HttpRequest request =
        HttpRequest.of("POST", "/u/f", "x".getBytes(UTF_8))
            .withHeader("Content-Type", "application/json");

    assertThat(event(request.withHeader("Content-Encoding", "gzip")).isBase64Encoded()).isTrue();
    assertThat(event(request.withHeader("Content-Encoding", "identity")).isBase64Encoded())
        .isFalse();
  }

  @Test
  void keepsTextOfEveryLanguage() {
    HttpRequest request = HttpRequest.of("POST", "/u/f", "日本語 🎉".getBytes(UTF_8));

    assertThat(event(request).body()).isEqualTo("日本語 🎉");
  }

  @Test
  void escapesWhatAJsonStringCannotHave() {
    String text = "\"\\/\b\f\n\r\t\u0000\u001f\u007f é";

    assertThat(event(HttpRequest.of("POST", "/u/f", text.getBytes(UTF_8))).body()).isEqualTo(text);
  }

  @Test
  void isWrittenInOneGoIntoABufferThatFits() {
    String text = "line\n\u0001é".repeat(200_000);
    byte[] body = text.getBytes(UTF_8);

    ByteBuf json = write(HttpRequest.of("POST", "/u/f", body));

    assertThat(json.capacity()).isLessThan(body.length + 200_000 * 6 + 2048);
    assertThat(Json.CAMEL.read(ByteBufUtil.getBytes(json), Event.class).body()).isEqualTo(text);
    json.release();
  }

  @Test
  void refusesABodyThatBecomesTooLargeInItsString() {
    HttpRequest request = HttpRequest.of("POST", "/u/f", new byte[2 << 20]); // Six times as much.

    assertThatThrownBy(() -> write(request))
        .isInstanceOfSatisfying(
            ApiException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.REQUEST_TOO_LARGE));
  }

  @Test
  void neverTakesMoreThanItsFormSays() {
    HttpRequest request =
        HttpRequest.of("POST", "/u/f/" + "%01".repeat(500) + "?" + "%02=%22é&".repeat(500) + "a=b")
            .withHeader("X-" + "n".repeat(2000), "\"".repeat(500))
            .withHeader("Y", "ü€".repeat(500));
    HttpEvent event = HttpEvent.of(request, HELLO, "uid", "rid");
    ByteBuf json = write(request);

    long bytes = event.form(Unpooled.EMPTY_BUFFER).bytes();

    assertThat(bytes).isBetween((long) json.readableBytes(), json.readableBytes() + 300L);
    json.release();
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "\""})
  void whatFindsNoMemoryIsGivenBackWhereverThatIs(String character) {
    String body = character.repeat(100_000);
    HttpRequest request =
        HttpRequest.of("POST", "/u/f", body.getBytes(UTF_8)).withHeader("X", "x".repeat(10_000));
    boolean isWritten = false;
    for (int buffers = 0; !isWritten; buffers++) {
      LittleMemory memory = new LittleMemory(buffers);
      HttpEvent event = HttpEvent.of(request, HELLO, "uid", "rid");
      ByteBuf bytes = Unpooled.wrappedBuffer(request.body());
      try {
        event.toJson(memory, event.form(bytes), bytes, null).release();
        isWritten = true;
      } catch (OutOfMemoryError _) {
        // As was to be expected.
      } finally {
        bytes.release();
      }
      assertThat(memory.given).as("%s buffers", buffers).allMatch(given -> given.refCnt() == 0);
    }
  }

  /// Memory for so many buffers.
  private static final class LittleMemory extends AbstractByteBufAllocator {
    private final List<ByteBuf> given = new ArrayList<>();
    private final int buffers;

    LittleMemory(int buffers) {
      super(true);
      this.buffers = buffers;
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      if (given.size() == buffers) {
        throw new OutOfMemoryError("Cannot reserve direct buffer memory");
      }
      ByteBuf buffer = UnpooledByteBufAllocator.DEFAULT.directBuffer(initialCapacity, maxCapacity);
      given.add(buffer);
      return buffer;
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      return newDirectBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }

  /// What handlers look at.
  private record Event(
      Map<String, String> headers,
      Map<String, String> queryStringParameters,
      String body,
      boolean isBase64Encoded) {}

  @ParameterizedTest
  @CsvSource({"x, text/plain", "\\, text/plain", "é, text/plain", "x, image/png"})
  void largeBodiesArePassedOnUnchanged(String character, String type) {
    String body = character.repeat(200_000);
    HttpRequest request =
        HttpRequest.of("POST", "/u/f", body.getBytes(UTF_8)).withHeader("Content-Type", type);

    Event event = event(request);

    String text =
        event.isBase64Encoded()
            ? new String(Base64.getDecoder().decode(event.body()), UTF_8)
            : event.body();
    assertThat(text.equals(body)).isTrue();
  }

  @Test
  void aBodyIsGivenBackWhileItIsRead() {
    CompositeByteBuf body = Unpooled.compositeBuffer();
    ByteBuf first = Unpooled.wrappedBuffer("\"".repeat(100_000).getBytes(UTF_8));
    body.addComponents(true, first, Unpooled.wrappedBuffer("x".repeat(100_000).getBytes(UTF_8)));
    HttpEvent event = HttpEvent.of(HttpRequest.of("POST", "/u/f"), HELLO, "uid", "rid");

    ByteBuf json = event.toJson(UnpooledByteBufAllocator.DEFAULT, event.form(body), body, null);

    assertThat(first.refCnt()).isZero();
    assertThat(Json.CAMEL.read(ByteBufUtil.getBytes(json), Event.class).body())
        .startsWith("\"\"\"")
        .endsWith("xxx")
        .hasSize(200_000);
    json.release();
    body.release();
  }

  private static Event event(HttpRequest request) {
    return Json.CAMEL.read(json(request), Event.class);
  }

  private static String json(HttpRequest request) {
    ByteBuf json = write(request);
    String text = json.toString(UTF_8);
    json.release();
    return text;
  }

  private static ByteBuf write(HttpRequest request) {
    HttpEvent event = HttpEvent.of(request, HELLO, "uid", "rid");
    ByteBuf body = Unpooled.wrappedBuffer(request.body());
    try {
      return event.toJson(UnpooledByteBufAllocator.DEFAULT, event.form(body), body, null);
    } finally {
      body.release();
    }
  }
}
