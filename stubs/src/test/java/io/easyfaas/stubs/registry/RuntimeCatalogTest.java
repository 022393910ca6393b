package io.easyfaas.stubs.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuntimeCatalogTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void listsWhatIsLaidOutByName() throws IOException {
    layOut("b", "{\"Name\":\"python3\",\"Bin\":\"/b\",\"Path\":\"/p\"}");
    layOut("a", "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Args\":[\"x\"]}");
    Files.createDirectory(directory.resolve("half"));
    Files.writeString(directory.resolve("file"), "");

    assertThat(new RuntimeCatalog(directory).list())
        .extracting(RuntimeConfiguration::name)
        .containsExactly("nodejs20", "python3");
  }

  @Test
  void findsByNameBeforeAlias() throws IOException {
    layOut("a", "{\"Name\":\"a\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Aliases\":[\"b\",\"old\"]}");
    layOut("b", "{\"Name\":\"b\",\"Bin\":\"/b\",\"Path\":\"/p\"}");
    RuntimeCatalog runtimes = new RuntimeCatalog(directory);

    assertThat(runtimes.find("b").orElseThrow().name()).isEqualTo("b");
    assertThat(runtimes.find("old").orElseThrow().name()).isEqualTo("a");
    assertThat(runtimes.find("c")).isEmpty();
    assertThat(runtimes.expected()).isEqualTo("one of a, b");
  }

  @Test
  void leavesOutOneThatCannotBeRead() throws IOException {
    layOut("a", "{\"Name\":\"a\"}");
    layOut("b", "{\"Name\":");
    layOut("c", "{\"Name\":\"c\",\"Bin\":\"/b\",\"Path\":\"/p\"}");

    assertThat(new RuntimeCatalog(directory).list())
        .extracting(RuntimeConfiguration::name)
        .containsExactly("c");
  }

  @Test
  void seesARuntimeThatIsLaidOutLater() throws IOException {
    RuntimeCatalog runtimes = new RuntimeCatalog(directory.resolve("runtimes"));
    assertThat(runtimes.list()).isEmpty();
    assertThat(runtimes.expected()).endsWith("Hint: easyfaas runner-runtime");

    layOut("runtimes/a", "{\"Name\":\"a\",\"Bin\":\"/b\",\"Path\":\"/p\"}");
    assertThat(runtimes.list()).hasSize(1);
  }

  private void layOut(String name, String json) throws IOException {
    Path runtime = Files.createDirectories(directory.resolve(name));
    Files.writeString(runtime.resolve("runtime.json"), json);
  }
}
