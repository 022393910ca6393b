package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.zip.WeirdZips;
import io.easyfaas.common.zip.WeirdZips.WeirdZip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class CodePackageTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void takesAnOrdinaryPackage() {
    assertThatCode(() ->
            check(Zips.of("index.js", "lib/", "lib/a.js", "lib/b/c.js", "./d.js", "a..b", "é")))
        .doesNotThrowAnyException();
  }

  @Test
  void theDefaultPackageIsTheSameEveryTimeAndValid() throws IOException {
    byte[] zip = CodePackage.helloWorld();

    check(zip);
    assertThat(zip).isEqualTo(CodePackage.helloWorld());
    assertThat(new String(zip, UTF_8)).contains("index.js", "index.py");
  }

  @ParameterizedTest
  @MethodSource("weird")
  void everyWeirdZipIsTakenOrRefusedAsByFunclet(WeirdZip zip) throws IOException {
    if (zip.isTaken()) {
      check(zip.bytes());
    } else {
      assertThatThrownBy(() -> check(zip.bytes()))
          .isInstanceOf(ApiException.class)
          .hasMessageStartingWith("InvalidParameterValueException: Code: the zip ")
          .hasMessageContaining(zip.refusal());
    }
  }

  static List<WeirdZip> weird() {
    return WeirdZips.all();
  }

  private void check(byte[] zip) throws IOException {
    CodePackage.check(Files.write(directory.resolve("code.zip"), zip));
  }
}
