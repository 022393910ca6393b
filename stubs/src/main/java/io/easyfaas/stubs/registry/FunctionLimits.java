package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a function may be configured to. Pure.
final class FunctionLimits {
  static final int MAX_TIMEOUT_SECONDS = 900;
  static final int MIN_MEMORY_MEBIBYTES = 64;
  static final int MAX_MEMORY_MEBIBYTES = 10240;
  static final int MAX_QUOTA = 1000;
  static final int MAX_HANDLER_CHARACTERS = 128;
  static final int MAX_DESCRIPTION_CHARACTERS = 256;
  static final int MAX_ENVIRONMENT_BYTES = 4096;
  static final int MAX_TAGS = 50;
  static final int MAX_TAG_KEY_CHARACTERS = 128;
  static final int MAX_TAG_VALUE_CHARACTERS = 256;

  // A path of module names, then the name of what is called: src/index.handler, pkg.module.handler.
  private static final Pattern HANDLER =
      Pattern.compile("[A-Za-z0-9_$-]+([./][A-Za-z0-9_$-]+)*\\.[A-Za-z_$][A-Za-z0-9_$]*");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern LOG_TYPE = Pattern.compile("[A-Za-z]{0,32}");

  private FunctionLimits() {}

  /// Checks everything but the runtime and the code.
  ///
  /// @throws ApiException naming the member, its value and what was expected
  static void check(FunctionConfiguration configuration, Map<String, String> tags) {
    checkRange("Timeout", configuration.timeout(), 1, MAX_TIMEOUT_SECONDS, "seconds");
    checkRange(
        "MemorySize",
        configuration.memorySize(),
        MIN_MEMORY_MEBIBYTES,
        MAX_MEMORY_MEBIBYTES,
        "mebibytes");
    checkRange("PodConcurrentQuota", configuration.podConcurrentQuota(), 0, MAX_QUOTA, "calls");
    checkHandler(configuration.handler());
    checkText("Description", configuration.description(), MAX_DESCRIPTION_CHARACTERS);
    checkEnvironment(configuration.variables());
    String logType = configuration.logType();
    if (logType != null && !LOG_TYPE.matcher(logType).matches()) {
      throw invalid("LogType", quoted(logType), "up to 32 letters");
    }
    checkTags(tags);
  }

  /// The refusal of one member's value.
  static ApiException invalid(String member, String value, String expected) {
    return new ApiException(
        ErrorCode.INVALID_PARAMETER, member + ": " + value + " (expected: " + expected + ")");
  }

  /// A value as it appears in a message: in quotes, and never long.
  static String quoted(String value) {
    int most = 64;
    return value.length() <= most
        ? "\"" + value + "\""
        : "\"" + value.substring(0, most) + "…\" of " + value.length() + " characters";
  }

  private static void checkRange(
      String member, @Nullable Integer value, int min, int max, String unit) {
    if (value != null && (value < min || value > max)) {
      throw invalid(member, Integer.toString(value), min + " to " + max + " " + unit);
    }
  }

  private static void checkHandler(String handler) {
    if (handler.length() > MAX_HANDLER_CHARACTERS || !HANDLER.matcher(handler).matches()) {
      throw invalid(
          "Handler",
          quoted(handler),
          "module.function, at most " + MAX_HANDLER_CHARACTERS + " characters");
    }
  }

  /// Half of a surrogate pair is in no UTF-8: what is stored and run would be another text.
  private static void checkCharacters(String member, String value) {
    if (!UTF_8.newEncoder().canEncode(value)) {
      throw invalid(member, "a text with half a character", "a text without");
    }
  }

  private static void checkEnvironment(Map<String, String> variables) {
    long bytes = 0;
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      if (!VARIABLE.matcher(variable.getKey()).matches()) {
        throw invalid(
            "Environment.Variables",
            quoted(variable.getKey()),
            "names of letters, digits and _, not starting with a digit");
      }
      if (variable.getValue().indexOf('\0') >= 0) {
        throw invalid(
            "Environment.Variables." + variable.getKey(), "a text with NUL", "a text without");
      }
      checkCharacters("Environment.Variables." + variable.getKey(), variable.getValue());
      bytes += variable.getKey().getBytes(UTF_8).length;
      bytes += variable.getValue().getBytes(UTF_8).length;
    }
    if (bytes > MAX_ENVIRONMENT_BYTES) {
      throw invalid(
          "Environment.Variables",
          bytes + " bytes",
          "at most " + MAX_ENVIRONMENT_BYTES + " bytes of names and values");
    }
  }

  private static void checkTags(Map<String, String> tags) {
    if (tags.size() > MAX_TAGS) {
      throw invalid("Tags", tags.size() + " tags", "at most " + MAX_TAGS);
    }
    tags.forEach((key, value) -> {
      if (key.isEmpty() || key.length() > MAX_TAG_KEY_CHARACTERS) {
        throw invalid(
            "Tags", quoted(key), "keys of 1 to " + MAX_TAG_KEY_CHARACTERS + " characters");
      }
      checkText("Tags." + key, value, MAX_TAG_VALUE_CHARACTERS);
    });
  }

  private static void checkText(String member, @Nullable String value, int max) {
    if (value == null) {
      return;
    }
    if (value.length() > max) {
      throw invalid(member, quoted(value), "at most " + max + " characters");
    }
    checkCharacters(member, value);
  }
}
