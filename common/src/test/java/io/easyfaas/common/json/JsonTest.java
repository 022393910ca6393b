package io.easyfaas.common.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionConfiguration.Environment;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.Concurrency;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.FunctionDocument.LogConfig;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonTest {
  private record Note(
      String title,
      @Nullable Integer pageCount,
      List<String> tags,
      @Nullable Map<String, String> labels,
      @Nullable Boolean isOpen) {
    Note(String title, @Nullable Integer pageCount, List<String> tags) {
      this(title, pageCount, tags, null, null);
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Blob(byte[] zip, @Nullable String title) {}

  @Test
  void writesComponentsInOrderAndInTheAskedSpelling() {
    Note note = new Note("a", 2, List.of("x"));

    assertThat(Json.PASCAL.writeText(note))
        .isEqualTo("{\"Title\":\"a\",\"PageCount\":2,\"Tags\":[\"x\"]}");
    assertThat(Json.CAMEL.writeText(note))
        .isEqualTo("{\"title\":\"a\",\"pageCount\":2,\"tags\":[\"x\"]}");
  }

  @Test
  void leavesNullsOut() {
    assertThat(Json.CAMEL.writeText(new Note("a", null, List.of())))
        .isEqualTo("{\"title\":\"a\",\"tags\":[]}");
  }

  @Test
  void readsMembersInAnyCaseAndIgnoresUnknownOnes() {
    Note note = Json.PASCAL.read("{\"title\":\"a\",\"TAGS\":[],\"_\":{},\"More\":[1]}", Note.class);

    assertThat(note).isEqualTo(new Note("a", null, List.of()));
  }

  @Test
  void readsTextAndBytesAlike() {
    String json = "{\"title\":\"é\",\"tags\":[]}";

    assertThat(Json.CAMEL.read(json, Note.class).title()).isEqualTo("é");
    assertThat(Json.CAMEL.read(json.getBytes(UTF_8), Note.class).title()).isEqualTo("é");
  }

  @Test
  void whatBeginsInNoEncodingIsNoDocument() {
    byte[] bytes = {0, '{', 0, 0, '}'};

    assertThatThrownBy(() -> Json.CAMEL.read(bytes, Note.class)).isInstanceOf(JsonException.class);
    assertThatThrownBy(() -> Json.CAMEL.readList(bytes, Note.class))
        .isInstanceOf(JsonException.class);
    assertThatThrownBy(() ->
            Json.CAMEL.read(
                new ByteArrayInputStream(bytes), Note.class, ByteArrayOutputStream::new))
        .isInstanceOf(JsonException.class);
  }

  /// Whoever writes documents chooses the names, and could fill the memory with them.
  @Test
  void noNameStaysOfADocumentThatWasRead() {
    long before = used();
    for (int document = 0; document < 200; document++) {
      byte[] json = withLongNames(document).getBytes(UTF_8);
      Json.PASCAL.read(json, Note.class);
      Json.PASCAL.read(new ByteArrayInputStream(json), Blob.class, ByteArrayOutputStream::new);
      try (JsonReader reader = new JsonReader(new ByteArrayInputStream(json))) {
        assertThat(reader.object((_, _) -> {})).isTrue();
      }
    }

    assertThat(used() - before).isLessThan(16L << 20); // Of 144 MiB of names.
  }

  private static String withLongNames(int document) {
    StringBuilder json = new StringBuilder("{\"Title\":\"a\",\"Zip\":\"\",\"Tags\":[]");
    for (int name = 0; name < 30; name++) {
      json.append(",\"").append(document).append('-').append(name);
      json.append("n".repeat(8_000)).append("\":1");
    }
    return json.append('}').toString();
  }

  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void readsLists() {
    byte[] json = "[{\"title\":\"a\"},{\"title\":\"b\"}]".getBytes(UTF_8);

    assertThat(Json.CAMEL.readList(json, Note.class))
        .extracting(Note::title)
        .containsExactly("a", "b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "   ", "null", "{", "{} {}", "{\"title\":}"})
  void refusesWhatIsNotJson(String json) {
    assertThatThrownBy(() -> Json.CAMEL.read(json, Note.class))
        .isInstanceOf(JsonException.class)
        .hasMessageStartingWith("JSON: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          []                          | a list (expected: an object)
          "text"                      | "text" (expected: an object)
          {"title":5}                 | title: 5 (expected: a text)
          {"title":true}              | title: true (expected: a text)
          {"title":{}}                | title: an object (expected: a text)
          {"pageCount":"many"}        | pageCount: "many" (expected: a whole number)
          {"pageCount":"3"}           | pageCount: "3" (expected: a whole number)
          {"pageCount":""}            | pageCount: "" (expected: a whole number)
          {"pageCount":3.5}           | pageCount: 3.5 (expected: a whole number)
          {"pageCount":3.0}           | pageCount: 3.0 (expected: a whole number)
          {"pageCount":true}          | pageCount: true (expected: a whole number)
          {"pageCount":{"a":1}}       | pageCount: an object (expected: a whole number)
          {"pageCount":[1]}           | pageCount: a list (expected: a whole number)
          {"pageCount":99999999999}   | pageCount: 99999999999 (expected: a whole number from -2147483648 to 2147483647)
          {"tags":"a"}                | tags: "a" (expected: a list)
          {"tags":{}}                 | tags: an object (expected: a list)
          {"tags":["a",[]]}           | tags.1: a list (expected: a text)
          {"labels":[]}               | labels: a list (expected: an object)
          {"labels":"a"}              | labels: "a" (expected: an object)
          {"labels":{"a":1}}          | labels.a: 1 (expected: a text)
          {"labels":{"a":null}}       | labels.a: null (expected: a text)
          {"tags":["a",null]}         | tags.1: null (expected: a text)
          {"isOpen":"true"}           | isOpen: "true" (expected: true or false)
          {"isOpen":1}                | isOpen: 1 (expected: true or false)
          """)
  void saysWhichMemberIsWrongWhatCameAndWhatWasExpected(String json, String message) {
    assertThatThrownBy(() -> Json.CAMEL.read(json, Note.class))
        .isInstanceOf(JsonException.class)
        .hasMessageStartingWith("JSON: " + message)
        .hasMessageContaining(" at line 1, column ");
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() -> Json.CAMEL.read("{\"bin\":\"/b\"}", RuntimeConfiguration.class))
        .hasMessageStartingWith("JSON: no Name");
  }

  @Test
  void quotesNoMoreOfATextThanOneReads() {
    assertThatThrownBy(
            () -> Json.CAMEL.read("{\"pageCount\":\"" + "x".repeat(9000) + "\"}", Note.class))
        .hasMessageStartingWith("JSON: pageCount: \"xxx")
        .message()
        .hasSizeLessThan(300);
  }

  @Test
  void refusesNestingThatCouldExhaustTheStack() {
    String deep = "{\"tags\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}";

    assertThatThrownBy(() -> Json.CAMEL.read(deep, Note.class)).isInstanceOf(JsonException.class);
  }

  @Test
  void readsBase64WithAndWithoutLineBreaks() {
    assertThat(Json.CAMEL.read("{\"zip\":\"AAEC\\nAwQF\"}", Blob.class).zip())
        .containsExactly(0, 1, 2, 3, 4, 5);
    assertThatThrownBy(() -> Json.CAMEL.read("{\"zip\":\"AA!C\"}", Blob.class))
        .hasMessageContaining("zip");
  }

  @Test
  void ofAStreamedDocumentOnlyTheBinaryMemberMayBeLarge() {
    String zip = "A".repeat(100_000);
    String texts = "\"x\",".repeat(8_200);

    assertThat(streamed("{\"Zip\":\"" + zip + "\"}")).isEqualTo(75_000);
    assertThatThrownBy(() -> streamed("{\"Title\":\"" + zip + "\"}"))
        .isInstanceOf(JsonException.class)
        .hasMessageContaining("8192");
    assertThatThrownBy(() -> streamed("{\"" + zip + "\":1}"))
        .isInstanceOf(JsonException.class)
        .hasMessageContaining("8192");
    assertThatThrownBy(() -> streamed("{\"Other\":[" + texts + "1]}"))
        .isInstanceOf(JsonException.class)
        .hasMessageContaining("8192");
  }

  /// Bytes of the binary member.
  private static int streamed(String json) {
    ByteArrayOutputStream sink = new ByteArrayOutputStream();
    Blob _ =
        Json.PASCAL.read(new ByteArrayInputStream(json.getBytes(UTF_8)), Blob.class, () -> sink);
    return sink.size();
  }

  @Test
  void writesAFunctionDocumentAsClientsOfTheOriginalExpectIt() {
    FunctionDocument document =
        new FunctionDocument(
            new FunctionCode("/c.zip", "filesystem", ""),
            new Concurrency(null, 0),
            new FunctionConfiguration(
                "c2hh",
                10L,
                null,
                new Environment(Map.of("a", "b")),
                "brn:…",
                "hello",
                "index.handler",
                "2026-01-01T00:00:00Z",
                128,
                "nodejs20",
                5,
                "1",
                "commit",
                "uid",
                10,
                null),
            new LogConfig("", "", ""),
            "uid",
            Map.of());

    String json = Json.PASCAL.writeText(document);

    assertThat(json)
        .isEqualTo(
            "{\"Code\":{\"Location\":\"/c.zip\",\"RepositoryType\":\"filesystem\",\"LogType\":\"\"},"
                + "\"Concurrency\":{\"ReservedConcurrentExecutions\":null,\"AccountReservedSum\":0},"
                + "\"Configuration\":{\"CodeSha256\":\"c2hh\",\"CodeSize\":10,"
                + "\"Environment\":{\"Variables\":{\"a\":\"b\"}},\"FunctionArn\":\"brn:…\","
                + "\"FunctionName\":\"hello\",\"Handler\":\"index.handler\","
                + "\"LastModified\":\"2026-01-01T00:00:00Z\",\"MemorySize\":128,"
                + "\"Runtime\":\"nodejs20\",\"Timeout\":5,\"Version\":\"1\",\"CommitId\":\"commit\","
                + "\"Uid\":\"uid\",\"PodConcurrentQuota\":10},"
                + "\"LogConfig\":{\"LogType\":\"\",\"BosDir\":\"\",\"Params\":\"\"},"
                + "\"Uid\":\"uid\",\"Tags\":{}}");
    assertThat(Json.PASCAL.read(json, FunctionDocument.class)).isEqualTo(document);
  }

  @Test
  void writesErrorObjectsInTheirFixedOrder() {
    ErrorDocument error =
        ErrorDocument.of(ErrorCode.RESOURCE_NOT_FOUND, "why", List.of("not found function x"));

    assertThat(Json.PASCAL.writeText(error))
        .isEqualTo(
            "{\"Code\":\"ResourceNotFoundException\",\"Cause\":\"why\",\"Message\":\"The resource"
                + " specified in the request does not exist\",\"Status\":404,\"Type\":\"User\","
                + "\"Backtrace\":[{\"Message\":\"not found function x\"}]}");
  }
}
