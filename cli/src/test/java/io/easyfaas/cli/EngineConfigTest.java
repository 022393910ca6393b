package io.easyfaas.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.http.HttpAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class EngineConfigTest {
  @Test
  void thePortsAreThoseOfTheParts() {
    EngineConfig config =
        EngineConfig.parse(List.of("--port=1", "--registry-port=2", "--trigger-port=3"), Map.of());

    assertThat(config.controller().listen()).isEqualTo(new HttpAddress.Tcp("127.0.0.1", 1));
    assertThat(config.stubs().address()).isEqualTo(new HttpAddress.Tcp("127.0.0.1", 2));
    assertThat(config.trigger().address()).isEqualTo(new HttpAddress.Tcp("127.0.0.1", 3));
  }

  @Test
  void theRegistryIsOnLoopbackUntilItIsNamed() {
    EngineConfig config = EngineConfig.parse(List.of("--bind-address=0.0.0.0"), Map.of());

    assertThat(config.controller().listen().host()).isEqualTo("0.0.0.0");
    assertThat(config.trigger().address().host()).isEqualTo("0.0.0.0");
    assertThat(config.stubs().address().host()).isEqualTo("127.0.0.1");
    assertThat(
            EngineConfig.parse(List.of("--registry-bind-address=10.0.0.1"), Map.of())
                .stubs()
                .address()
                .host())
        .isEqualTo("10.0.0.1");
  }

  @Test
  void directoriesAreTheSameForAllParts() {
    EngineConfig config =
        EngineConfig.parse(
            List.of("--data-dir=/d"), Map.of("EASYFAAS_RUN_DIR", "/r", "MY_POD_NAME", "pod-7"));

    assertThat(config.funclet().dataDir()).isEqualTo(Path.of("/d"));
    assertThat(config.stubs().functionDirectory()).isEqualTo(Path.of("/d/functions"));
    assertThat(config.controller().userLog().root()).isEqualTo(Path.of("/d/logs"));
    assertThat(config.funclet().apiSocket()).isEqualTo(config.controller().funcletSocket());
    assertThat(config.funclet().podName()).isEqualTo("pod-7");
  }
}
