package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.Damage;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What callers see of a function directory that is damaged, or used up.
final class DamagedFunctionsTest {
  private static final String V1 = "/v1/functions/";
  private static final String HELLO =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:hello";

  @TempDir private Path directory = Path.of("");

  @ParameterizedTest
  @EnumSource
  void anUnreadableFunctionDoesNotHideTheOthers(Damage damage) throws IOException {
    try (FunctionStore store = open(StoreLimits.NONE)) {
      FunctionRoutes routes = routes(store);
      assertThat(send(routes, "POST", V1 + "hello").status()).isEqualTo(200);
      assertThat(send(routes, "POST", V1 + "other").status()).isEqualTo(200);
      assertThat(send(routes, "POST", V1 + "hello/versions").status()).isEqualTo(201);
    }
    damage.to(directory.resolve("functions/" + HELLO + ":1/meta.json"));
    damage.to(directory.resolve("functions/" + HELLO + ":$LATEST/meta.json"));

    try (FunctionStore store = open(StoreLimits.NONE)) {
      FunctionRoutes routes = routes(store);
      HttpResponse list = send(routes, "GET", "/v1/functions");

      assertThat(list.status()).as(list.text()).isEqualTo(200);
      assertThat(list.text()).contains("\"FunctionName\":\"other\"").doesNotContain("\"hello\"");
      assertThat(send(routes, "POST", V1 + "hello").status()).isEqualTo(200);
      assertThat(send(routes, "GET", V1 + "hello/versions").status()).isEqualTo(200);
      assertThat(send(routes, "POST", V1 + "hello/versions").text()).contains("\"Version\":\"2\"");
      assertThat(send(routes, "DELETE", V1 + "hello").status()).isEqualTo(204);
      assertThat(send(routes, "GET", V1 + "hello").status()).isEqualTo(404);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FunctionName", "Handler", "CodeSha256", "FunctionArn", "Location"})
  void aFunctionThatLacksAMemberDoesNotHideTheOthers(String member) throws IOException {
    try (FunctionStore store = open(StoreLimits.NONE)) {
      FunctionRoutes routes = routes(store);
      send(routes, "POST", V1 + "hello");
      send(routes, "POST", V1 + "other");
    }
    Path meta = directory.resolve("functions/" + HELLO + ":$LATEST/meta.json");
    String whole = Files.readString(meta);
    String without = whole.replaceFirst("\"" + member + "\":", "\"Else\":");
    assertThat(without).isNotEqualTo(whole);
    Files.writeString(meta, without);

    try (FunctionStore store = open(StoreLimits.NONE)) {
      HttpResponse list = send(routes(store), "GET", "/v1/functions");

      assertThat(list.status()).as(list.text()).isEqualTo(200);
      assertThat(list.text()).contains("\"FunctionName\":\"other\"").doesNotContain("\"hello\"");
    }
  }

  @Test
  void aDamagedZipIsNotFrozenIntoAVersion() throws IOException {
    try (FunctionStore store = open(StoreLimits.NONE)) {
      FunctionRoutes routes = routes(store);
      send(routes, "POST", V1 + "hello");
      Path code;
      try (var files = Files.list(directory.resolve("functions/" + HELLO + ":$LATEST"))) {
        code = files.filter(file -> file.toString().endsWith(".zip")).findFirst().orElseThrow();
      }
      byte[] zip = Files.readAllBytes(code);
      zip[40] ^= 1;
      Files.write(code, zip);

      HttpResponse response = send(routes, "POST", V1 + "hello/versions");

      assertThat(response.status()).isEqualTo(500);
      assertThat(response.text()).contains(code + " is damaged: its SHA-256 is ");
      assertThat(directory.resolve("functions/" + HELLO + ":1")).doesNotExist();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFunctionWhoseDirectoryWasRemovedByHandIsNotFound(boolean hasVersion) throws IOException {
    try (FunctionStore store = open(StoreLimits.NONE)) {
      FunctionRoutes routes = routes(store);
      send(routes, "POST", V1 + "hello");
      if (hasVersion) {
        send(routes, "POST", V1 + "hello/versions");
      }
      DiskTree.delete(directory.resolve("functions/" + HELLO + ":$LATEST"));

      HttpResponse response = send(routes, "POST", V1 + "hello/versions");

      assertThat(response.status()).as(response.text()).isEqualTo(404);
      assertThat(response.text()).contains("not found function " + HELLO + ":$LATEST");
      assertThat(send(routes, "GET", V1 + "hello").status()).isEqualTo(404);
      assertThat(send(routes, "POST", V1 + "hello").status()).isEqualTo(200);
      assertThat(send(routes, "POST", V1 + "hello/versions").status()).isEqualTo(201);
    }
  }

  @Test
  void aLimitThatIsReachedIsNamed() {
    DiskUse little = new DiskUse(1L << 30, 4);
    try (FunctionStore store = open(new StoreLimits(little, little))) {
      FunctionRoutes routes = routes(store);
      assertThat(send(routes, "POST", V1 + "hello").status()).isEqualTo(200);

      HttpResponse response = send(routes, "POST", V1 + "other");

      assertThat(response.status()).isEqualTo(507);
      assertThat(response.text())
          .contains("CodeStorageExceededException")
          .contains("--functions-account-inodes");
    }
  }

  private FunctionStore open(StoreLimits limits) {
    return FunctionStore.open(directory.resolve("functions"), limits);
  }

  private FunctionRoutes routes(FunctionStore store) {
    try {
      Path runtime = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
      Files.writeString(
          runtime.resolve("runtime.json"),
          "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Aliases\":[\"nodejs8.5\"]}");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    RuntimeCatalog runtimes = new RuntimeCatalog(directory.resolve("runtimes"));
    return new FunctionRoutes(
        store,
        new FunctionRegistry(store, runtimes, InstantSource.system(), _ -> {}),
        runtimes,
        new UploadLimits(ByteSize.ofMebibytes(1), 4, ByteSize.ofMebibytes(4)));
  }

  private static HttpResponse send(FunctionRoutes routes, String method, String target) {
    try {
      return routes.handle(HttpRequest.of(method, target, "".getBytes(UTF_8)));
    } catch (ApiException e) {
      return HttpResponse.error(e);
    }
  }
}
