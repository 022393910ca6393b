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
      Class<?> each = components[i].getType();
      values[i] =
          each == String.class
              ? TEXT
              : each == Map.class ? Map.of(TEXT, TEXT) : each.isRecord() ? filled(each) : null;
    }
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    return type.getDeclaredConstructor(types).newInstance(values);
  }

  private static int texts(Class<?> type) {
    int texts = 0;
    for (RecordComponent component : type.getRecordComponents()) {
      Class<?> each = component.getType();
      texts += each == String.class ? 1 : each == Map.class ? 2 : each.isRecord() ? texts(each) : 0;
    }
    return texts;
  }
}
