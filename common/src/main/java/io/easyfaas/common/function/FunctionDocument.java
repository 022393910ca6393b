package io.easyfaas.common.function;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a registry answers to "get function": where the code is and how to run it.
///
/// @param code where the code is
/// @param concurrency reserved concurrency
/// @param configuration everything else that belongs to one revision
/// @param logConfig where user logs go
/// @param uid the owner, by its plain account id
/// @param tags free labels
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FunctionDocument(
    FunctionCode code,
    @Nullable Concurrency concurrency,
    FunctionConfiguration configuration,
    @Nullable LogConfig logConfig,
    @Nullable String uid,
    Map<String, String> tags) {
  /// Copies the tags.
  public FunctionDocument {
    tags = Map.copyOf(requireNonNullElse(tags, Map.of()));
  }

  /// How many characters all its texts have together, those of its parts too.
  public long characters() {
    long characters =
        characters(code.location(), code.repositoryType(), code.logType(), uid)
            + characters(tags)
            + configuration.characters();
    return logConfig == null
        ? characters
        : characters + characters(logConfig.logType(), logConfig.bosDir(), logConfig.params());
  }

  static long characters(@Nullable String... texts) {
    long characters = 0;
    for (String text : texts) {
      characters += text == null ? 0 : text.length();
    }
    return characters;
  }

  static long characters(Map<String, String> texts) {
    long characters = 0;
    for (Map.Entry<String, String> text : texts.entrySet()) {
      characters += characters(text.getKey(), text.getValue());
    }
    return characters;
  }

  /// Where the code is.
  ///
  /// @param location a path for `filesystem`, an address for `bos`
  /// @param repositoryType `filesystem` or `bos`; absent means `bos`
  /// @param logType kept for compatibility, not used
  public record FunctionCode(
      String location, @Nullable String repositoryType, @Nullable String logType) {}

  /// How many calls a function may have in flight.
  ///
  /// @param reservedConcurrentExecutions absent: no limit of its own
  /// @param accountReservedSum kept for compatibility, not used
  @JsonInclude(JsonInclude.Include.ALWAYS)
  public record Concurrency(
      @Nullable Integer reservedConcurrentExecutions, @Nullable Integer accountReservedSum) {}

  /// Where user logs go.
  ///
  /// @param logType empty or `none`: nowhere but the answer's tail
  /// @param bosDir kept for compatibility
  /// @param params kept for compatibility
  public record LogConfig(
      @Nullable String logType, @Nullable String bosDir, @Nullable String params) {}
}
