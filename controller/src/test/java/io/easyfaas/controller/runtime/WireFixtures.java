package io.easyfaas.controller.runtime;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.HeaderBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The frames that the tests of all languages read.
record WireFixtures(List<Fixture> frames) {
  private static final WireFixtures ALL = read();

  /// One frame, as bytes and in words.
  record Fixture(
      String name,
      String hex,
      byte type,
      byte flags,
      long id,
      String payloadUtf8,
      String payloadHex,
      long deadlineMillis,
      String requestId,
      Map<String, String> headers,
      String eventUtf8) {}

  static List<Fixture> all() {
    return ALL.frames;
  }

  static Fixture frame(String name) {
    return ALL.frames.stream().filter(frame -> frame.name.equals(name)).findFirst().orElseThrow();
  }

  /// How the fixtures call a header.
  static String memberOf(HeaderBlock.Name name) {
    return switch (name) {
      case TRACE_PARENT -> "traceParent";
      case TRACE_STATE -> "traceState";
      case CLIENT_CONTEXT -> "clientContext";
      case IDENTITY -> "identity";
    };
  }

  private static WireFixtures read() {
    try {
      Path file = Path.of("../common/src/test/resources/wire/frames.json");
      return Json.CAMEL.read(Files.readAllBytes(file), WireFixtures.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
