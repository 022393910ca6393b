package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// A function that runs the code it is sent, so that a test can say in one place what happens
/// inside the sandbox and what is expected of it.
///
/// @param engine where it is stored
/// @param name of the function
record Shell(EngineProcess engine, String name) {
  /// The Python one, not stored yet. Code may use `syscall`, `attempt`, `read` and `state`, see
  /// `functions/shell.py`.
  static FunctionSpec python(String name) {
    return FunctionSpec.python(name, resource("shell.py")).withTimeout(20);
  }

  /// The Node.js one, not stored yet. Code may use `require`, `process` and `state`.
  static FunctionSpec node(String name) {
    return FunctionSpec.node(name, resource("shell.js")).withTimeout(20);
  }

  /// Stores one.
  static Shell create(EngineProcess engine, FunctionSpec function) {
    return new Shell(engine, engine.create(function));
  }

  /// Runs code that must not fail.
  ///
  /// @param code a function's body
  /// @return what it returns
  JsonNode run(String code) {
    Answer answer = attempt(code);
    assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200);
    assertThat(answer.isFailed()).describedAs("%s", answer).isFalse();
    return answer.json().get("answer");
  }

  /// Runs code that may fail.
  Answer attempt(String code) {
    return engine.invoke(name, event(code));
  }

  /// The event that makes the function run code.
  static String event(String code) {
    return Answer.write(Map.of("code", code));
  }

  private static String resource(String file) {
    try (InputStream source = Shell.class.getResourceAsStream("/functions/" + file)) {
      if (source == null) {
        throw new IllegalStateException("no resource " + file);
      }
      return new String(source.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
