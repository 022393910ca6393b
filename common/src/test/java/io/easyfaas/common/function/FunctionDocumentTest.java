package io.easyfaas.common.function;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class FunctionDocumentTest {
  private static final String TEXT = "x".repeat(100);

  /// Whatever member a document gets is counted too.
  @Test
  void everyTextOfADocumentCounts() throws Exception {
    FunctionDocument document = (FunctionDocument) filled(FunctionDocument.class);

    assertThat(document.characters()).isEqualTo(100L * texts(FunctionDocument.class));
  }

  @Test
  void whatIsAbsentTakesNothing() {
    FunctionConfiguration configuration =
        new FunctionConfiguration(
            "sha", null, null, null, "arn", "name", "handler", null, null, null, null, null, null,
            null, null, null);
    FunctionDocument document =
        new FunctionDocument(
            new FunctionDocument.FunctionCode("/code", null, null),
            null,
            configuration,
            null,
            null,
            Map.of());

    assertThat(document.characters()).isEqualTo("sha/codearnnamehandler".length());
  }

  /// A record whose every text, name and value is {@link #TEXT}.
  private static Object filled(Class<?> type) throws Exception {
    RecordComponent[] components = type.getRecordComponents();
    @Nullable Object[] values = new @Nullable Object[components.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(components[i]);
    }
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    return type.getDeclaredConstructor(types).newInstance(values);
  }

  private static @Nullable Object value(RecordComponent component) throws Exception {
    return switch (kind(component)) {
      case TEXT -> TEXT;
      case TEXTS -> Map.of(TEXT, TEXT);
      case NUMBER -> null;
      case PARTS -> filled(component.getType());
    };
  }

  private static int texts(Class<?> type) {
    int texts = 0;
    for (RecordComponent component : type.getRecordComponents()) {
      texts +=
          switch (kind(component)) {
            case TEXT -> 1;
            case TEXTS -> 2;
            case NUMBER -> 0;
            case PARTS -> texts(component.getType());
          };
    }
    return texts;
  }

  private enum Kind {
    TEXT,
    TEXTS,
    NUMBER,
    PARTS
  }

  private static Kind kind(RecordComponent component) {
    return switch (component.getGenericType().getTypeName()) {
      case "java.lang.String" -> Kind.TEXT;
      case "java.util.Map<java.lang.String, java.lang.String>" -> Kind.TEXTS;
      case "java.lang.Integer", "java.lang.Long" -> Kind.NUMBER;
      default -> {
        assertThat(component.getType().isRecord()).as("no rule how %s counts", component).isTrue();
        yield Kind.PARTS;
      }
    };
  }
}
