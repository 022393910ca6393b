package io.easyfaas.stubs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.stubs.registry.UploadLimits;
import io.easyfaas.stubs.store.StoreException;
import io.easyfaas.stubs.store.StoreLimits;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class StubsTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  @Test
  void storesAndServesFunctionsOverHttpAcrossARestart() throws IOException {
    layOutRuntime();
    try (Stubs stubs = started();
        HttpClient client = new HttpClient(stubs.address(), loops)) {
      HttpResponse created = client.send(post("{\"Version\":\"1\"}"), LONG);

      assertThat(created.status()).isEqualTo(200);
      assertThat(created.header("Content-Length")).contains("0");
    }
    try (Stubs stubs = started();
        HttpClient client = new HttpClient(stubs.address(), loops)) {
      HttpResponse found = client.send(HttpRequest.of("GET", "/v1/functions/hello:1"), LONG);

      assertThat(found.status()).isEqualTo(200);
      assertThat(found.header("Content-Type")).contains("application/json");
      assertThat(client.send(HttpRequest.of("DELETE", "/v1/functions/hello"), LONG).status())
          .isEqualTo(204);
    }
  }

  @Test
  void tellsEveryListenerOfEachChange() throws IOException {
    layOutRuntime();
    List<FunctionBrn> first = new CopyOnWriteArrayList<>();
    List<FunctionBrn> second = new CopyOnWriteArrayList<>();
    try (Stubs stubs = started()) {
      stubs.onChange(first::add);
      stubs.onChange(second::add);
      try (HttpClient client = new HttpClient(stubs.address(), loops)) {
        client.send(post("{}"), LONG);
      }
    }
    assertThat(first).hasSize(1).isEqualTo(second);
    assertThat(first.getFirst().name()).isEqualTo("hello");
  }

  @Test
  void answersABodyOverTheLimitWith413() {
    try (Stubs stubs = started();
        HttpClient client = new HttpClient(stubs.address(), loops)) {
      assertThat(client.send(post("x".repeat(4 << 20)), LONG).status()).isEqualTo(413);
    }
  }

  @Test
  void letsGoOfTheDirectoryWhenItCannotListen() throws IOException {
    try (Stubs other = started()) {
      StubsConfig taken =
          new StubsConfig(
              (HttpAddress.Tcp) other.address(),
              directory.resolve("other"),
              directory.resolve("runtimes"),
              new UploadLimits(ByteSize.ofMebibytes(1), 4, ByteSize.ofMebibytes(32)),
              StoreLimits.NONE);
      assertThatThrownBy(() -> Stubs.start(taken, loops)).hasMessageStartingWith("listen on ");
    }
    StubsConfig free =
        new StubsConfig(
            new HttpAddress.Tcp("127.0.0.1", 0),
            directory.resolve("other"),
            directory.resolve("runtimes"),
            new UploadLimits(ByteSize.ofMebibytes(1), 4, ByteSize.ofMebibytes(32)),
            StoreLimits.NONE);
    try (Stubs stubs = Stubs.start(free, loops)) {
      assertThat(stubs.address()).isNotNull();
    }
  }

  @Test
  void twoOfOneDirectoryAreRefused() {
    try (Stubs _ = started()) {
      assertThatThrownBy(this::started)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining(": in use by process ");
    }
  }

  @Test
  void aSecondProcessOnOneDirectoryEndsWithAClearError() throws Exception {
    try (Stubs _ = started()) {
      Process second =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home", ""), "bin", "java").toString(),
                  "-cp",
                  classPath(),
                  SecondProcess.class.getName(),
                  "--port=0",
                  "--data-dir=" + directory)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      String errors = new String(second.getErrorStream().readAllBytes(), UTF_8);

      assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(second.exitValue()).isEqualTo(1);
      assertThat(errors)
          .contains(
              "function directory "
                  + directory.resolve("functions")
                  + ": in use by process "
                  + ProcessHandle.current().pid());
    }
  }

  /// Where this test's own classes come from, whatever loaded them.
  private static String classPath() {
    return SecondProcess.class.getClassLoader() instanceof URLClassLoader loader
        ? Arrays.stream(loader.getURLs()).map(URL::getPath).collect(Collectors.joining(":"))
        : System.getProperty("java.class.path", "");
  }

  /// Starts a registry in a process of its own; what it throws ends the process with status 1.
  static final class SecondProcess {
    private SecondProcess() {}

    public static void main(String[] args) {
      Stubs.start(StubsConfig.parse(List.of(args), Map.of()), new EventLoops(1));
    }
  }

  private void layOutRuntime() throws IOException {
    Path runtime = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
    Files.writeString(
        runtime.resolve("runtime.json"),
        "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Aliases\":[\"nodejs8.5\"]}");
  }

  private Stubs started() {
    return Stubs.start(config(), loops);
  }

  private StubsConfig config() {
    return new StubsConfig(
        new HttpAddress.Tcp("127.0.0.1", 0),
        directory.resolve("functions"),
        directory.resolve("runtimes"),
        new UploadLimits(ByteSize.ofMebibytes(1), 4, ByteSize.ofMebibytes(32)),
        StoreLimits.NONE);
  }

  private static HttpRequest post(String body) {
    return HttpRequest.of("POST", "/v1/functions/hello", body.getBytes(UTF_8));
  }
}
