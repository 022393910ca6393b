package io.easyfaas.common.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.json.JsonReader.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Documents written and read piece by piece.
class JsonStreamTest {
  @Test
  void whatIsWrittenMemberByMemberIsADocument() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonWriter writer = new JsonWriter(out)) {
      writer
          .text("a", "é\"\n")
          .text("b", new StringReader("x".repeat(100_000)))
          .base64("c", new ByteArrayInputStream(new byte[] {0, 1, 2, -1}), 4)
          .flag("d", true)
          .object("e")
          .texts("f", Map.of("g", "h"))
          .end();
    }

    assertThat(out.toString(UTF_8))
        .isEqualTo(
            "{\"a\":\"é\\\"\\n\",\"b\":\""
                + "x".repeat(100_000)
                + "\",\"c\":\"AAEC/w==\",\"d\":true,\"e\":{\"f\":{\"g\":\"h\"}}}");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3_000, 7_980, 7_990, 8_000, 8_010, 16_000, 1_000_000})
  void positionsAreRightHoweverMuchIsPassedOver(int length) {
    String json =
        "{ \"skipped\":\""
            + "é\\n".repeat(length / 3)
            + "😀\",\"here\" : \"x\", \"n\":{\"a\":[1]}}";
    JsonReader reader = reader(json);
    assertThat(reader.next()).isEqualTo(Kind.OBJECT);
    assertThat(reader.nextName()).contains("skipped");
    assertThat(reader.next()).isEqualTo(Kind.TEXT);
    assertThat(reader.position()).isEqualTo(12);
    assertThat(reader.nextName()).contains("here");
    assertThat(reader.next()).isEqualTo(Kind.TEXT);

    byte[] bytes = json.getBytes(UTF_8);
    int at = (int) reader.position();
    assertThat(new String(bytes, at, 3, UTF_8)).isEqualTo("\"x\"");
    assertThat(reader.nextName()).contains("n");
    assertThat(reader.next()).isEqualTo(Kind.OBJECT);
    reader.skip();
    assertThat(reader.nextName()).isEmpty();
    reader.end();
  }

  @Test
  void valuesHaveKinds() {
    JsonReader reader = reader("{\"a\":12,\"b\":1.50,\"c\":true,\"d\":false,\"e\":null,\"f\":[]}");
    reader.next();
    reader.nextName();
    assertThat(reader.next()).isEqualTo(Kind.INTEGER);
    assertThat(reader.text()).isEqualTo("12");
    reader.nextName();
    assertThat(reader.next()).isEqualTo(Kind.FRACTION);
    assertThat(reader.fraction()).isEqualTo(1.5);
    for (Kind kind : new Kind[] {Kind.TRUE, Kind.FALSE, Kind.NULL, Kind.ARRAY}) {
      reader.nextName();
      assertThat(reader.next()).isEqualTo(kind);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "{\"a\"}", "{\"a\":1", "{\"a\":\"x", "{\"a\":1}}", "{} x", "nul"})
  void whatIsNoDocumentIsTold(String json) {
    assertThatThrownBy(() -> readAll(json)).isInstanceOf(JsonException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "7b 22 61 22 3a 22 c3 28 22 7d", // Half a character.
        "7b 22 61 22 3a 22 c3",
        "7b 22 61 22 3a 22 ed a0 80 22 7d", // Half a surrogate pair.
        "00 7b 00 7d", // UTF-16.
        "00 7b 00 00 7d",
        "00 00 ff fe"
      })
  void whatIsNotUtf8IsNoDocument(String hex) {
    byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);

    assertThatThrownBy(() -> readAll(bytes)).isInstanceOf(JsonException.class);
  }

  private static void readAll(String json) {
    readAll(json.getBytes(UTF_8));
  }

  private static void readAll(byte[] json) {
    try (JsonReader reader = new JsonReader(new ByteArrayInputStream(json))) {
      reader.next();
      while (reader.nextName().isPresent()) {
        reader.next();
        reader.skip();
      }
      reader.end();
    }
  }

  private static JsonReader reader(String json) {
    return new JsonReader(new ByteArrayInputStream(json.getBytes(UTF_8)));
  }
}
