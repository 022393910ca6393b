package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;

import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.wire.ApiException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The settings of a function in a request's query: the members of the document by their names;
/// `Environment=NAME=value` and `Tags=key=value` once for each pair, all others once. Pure.
final class SettingsQuery {
  private static final String ENVIRONMENT = "Environment";
  private static final String TAGS = "Tags";
  private static final List<String> NAMES =
      List.of(
          "Version",
          "Description",
          "Runtime",
          "Timeout",
          "MemorySize",
          "Handler",
          "PodConcurrentQuota",
          ENVIRONMENT,
          "LogType",
          TAGS);
  private static final String QUALIFIER = "Qualifier"; // Says which revision.
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,9}");

  private SettingsQuery() {}

  /// Reads a query; what it does not name is absent.
  ///
  /// @throws ApiException naming a parameter that is none, has a wrong value, or more than one
  static FunctionSettings read(HttpRequest request) {
    TreeSet<String> unknown = new TreeSet<>(request.query().keySet());
    NAMES.forEach(unknown::remove);
    unknown.remove(QUALIFIER);
    if (!unknown.isEmpty()) {
      throw invalid("query", quoted(unknown.first()), QUALIFIER + ", " + String.join(", ", NAMES));
    }
    request.query().keySet().forEach(name -> checkOnce(request, name));
    Map<String, String> variables = pairs(request, ENVIRONMENT);
    return new FunctionSettings(
        text(request, "Version"),
        text(request, "Description"),
        text(request, "Runtime"),
        number(request, "Timeout"),
        number(request, "MemorySize"),
        text(request, "Handler"),
        number(request, "PodConcurrentQuota"),
        null,
        variables == null ? null : new FunctionSettings.Variables(variables),
        text(request, "LogType"),
        pairs(request, TAGS));
  }

  private static void checkOnce(HttpRequest request, String name) {
    List<String> values = request.queryAll(name);
    if (values.size() > 1 && !name.equals(ENVIRONMENT) && !name.equals(TAGS)) {
      throw invalid(name, quoted(values.get(0)) + " and " + quoted(values.get(1)), "one value");
    }
  }

  private static @Nullable String text(HttpRequest request, String name) {
    return request.query(name).orElse(null);
  }

  private static @Nullable Integer number(HttpRequest request, String name) {
    String text = text(request, name);
    if (text != null && !NUMBER.matcher(text).matches()) {
      throw invalid(name, quoted(text), "a whole number");
    }
    return text == null ? null : Integer.valueOf(text);
  }

  /// Null when there is none; one that is empty means no pairs at all.
  private static @Nullable Map<String, String> pairs(HttpRequest request, String name) {
    List<String> values = request.queryAll(name);
    if (values.isEmpty()) {
      return null;
    }
    Map<String, String> pairs = new LinkedHashMap<>();
    for (String value : values) {
      int equals = value.indexOf('=');
      if (equals > 0) {
        String key = value.substring(0, equals);
        String before = pairs.put(key, value.substring(equals + 1));
        if (before != null) {
          throw invalid(name + "." + key, "twice", "one value");
        }
      } else if (!value.isEmpty()) {
        throw invalid(name, quoted(value), "name=value");
      }
    }
    return pairs;
  }
}
