package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.registry.HttpRegistry;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.stubs.Stubs;
import io.easyfaas.stubs.StubsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whatever the controller asks, it is told the same by a method call and over HTTP.
final class LocalRegistryTest {
  private static final String HASH = "8f6e5a28c663957ea04522547a66d08f";
  private static final String HELLO = "brn:cloud:faas:bj:" + HASH + ":function:hello";

  @TempDir private Path directory = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private EventLoops loops;

  @SuppressWarnings("NullAway.Init")
  private Stubs stubs;

  @SuppressWarnings("NullAway.Init")
  private HttpClient client;

  @SuppressWarnings("NullAway.Init")
  private RegistryClient local;

  @SuppressWarnings("NullAway.Init")
  private RegistryClient remote;

  @BeforeEach
  void start() throws IOException {
    Path runtime = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
    Files.writeString(
        runtime.resolve("runtime.json"),
        "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Aliases\":[\"nodejs8.5\"]}");
    loops = new EventLoops(1);
    stubs =
        Stubs.start(
            StubsConfig.parse(List.of("--port=0", "--data-dir=" + directory), Map.of()), loops);
    client = new HttpClient(stubs.address(), loops);
    local = new LocalRegistry(stubs.routes());
    remote = new HttpRegistry(client, "v1", Duration.ofSeconds(30));
    HttpRequest create =
        HttpRequest.of("POST", "/v1/functions/hello", "{\"Runtime\":\"nodejs20\"}".getBytes(UTF_8));
    assertThat(client.send(create, Duration.ofSeconds(30)).status()).isEqualTo(200);
  }

  @AfterEach
  void stop() {
    client.close();
    stubs.close();
    loops.close();
  }

  @ParameterizedTest
  @CsvSource({
    "hello, '', ''",
    "hello, $LATEST, ''",
    HELLO + ":$LATEST, '', df391b08c64c426a81645468c75163a5",
    HELLO + ":$LATEST, 7, ''",
  })
  void aFunctionIsTheSame(String name, String qualifier, String account) {
    FunctionReference reference = new FunctionReference(name, qualifier, account, "");

    assertThat(local.function(reference, "r")).isEqualTo(remote.function(reference, "r"));
  }

  @ParameterizedTest
  @CsvSource({
    "hello, 7, ''",
    "hello, an alias, ''",
    "hello, '', another account",
    "other, $LATEST, ''",
    "'brn:half', '', ''",
    "'bad name!', '', ''",
  })
  void aRefusalIsTheSame(String name, String qualifier, String account) {
    FunctionReference reference = new FunctionReference(name, qualifier, account, "");

    refuseAlike(registry -> registry.function(reference, "r"));
  }

  @Test
  void runtimesAreTheSame() {
    assertThat(local.runtime("nodejs8.5", "r")).isEqualTo(remote.runtime("nodejs8.5", "r"));
    refuseAlike(registry -> registry.runtime("cobol", "r"));
  }

  private void refuseAlike(Consumer<RegistryClient> question) {
    assertThat(refusal(local, question)).isEqualTo(refusal(remote, question));
  }

  private static Object refusal(RegistryClient registry, Consumer<RegistryClient> question) {
    return catchThrowableOfType(ApiException.class, () -> question.accept(registry)).document();
  }
}
