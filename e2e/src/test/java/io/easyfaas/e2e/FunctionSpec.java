package io.easyfaas.e2e;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/// A function to store: name, code and the members of the registry's create document. Immutable.
///
/// @param name plain name
/// @param code the zip
/// @param settings for example `Timeout`
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record FunctionSpec(String name, byte[] code, Map<String, Object> settings) {
  FunctionSpec {
    settings = Map.copyOf(settings);
  }

  /// A Node.js function of one file.
  static FunctionSpec node(String name, String source) {
    return new FunctionSpec(
        name,
        new Zip().file("index.js", source).bytes(),
        Map.of("Runtime", "nodejs", "Handler", "index.handler"));
  }

  /// A Python function of one file.
  static FunctionSpec python(String name, String source) {
    return new FunctionSpec(
        name,
        new Zip().file("index.py", source).bytes(),
        Map.of("Runtime", "python3", "Handler", "index.handler"));
  }

  /// Any number of files in any language.
  FunctionSpec withCode(Zip zip) {
    return new FunctionSpec(name, zip.bytes(), settings);
  }

  FunctionSpec withHandler(String handler) {
    return with("Handler", handler);
  }

  FunctionSpec withTimeout(int seconds) {
    return with("Timeout", seconds);
  }

  FunctionSpec withMemory(int mebibytes) {
    return with("MemorySize", mebibytes);
  }

  /// Calls one sandbox may run at once.
  FunctionSpec withQuota(int calls) {
    return with("PodConcurrentQuota", calls);
  }

  /// Keeps what every call prints.
  FunctionSpec withUserLog() {
    return with("LogType", "bos");
  }

  FunctionSpec withVariables(Map<String, String> variables) {
    return with("Environment", Map.of("Variables", variables));
  }

  FunctionSpec with(String member, Object value) {
    Map<String, Object> changed = new LinkedHashMap<>(settings);
    changed.put(member, value);
    return new FunctionSpec(name, code, changed);
  }

  /// The create document.
  String document() {
    Map<String, Object> document = new LinkedHashMap<>(settings);
    document.put("Code", Base64.getEncoder().encodeToString(code));
    return Answer.write(document);
  }
}
