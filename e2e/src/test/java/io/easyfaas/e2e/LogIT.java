package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// The engine's own log: nobody need read it, and no tenant writes in it as the engine does.
@EndToEnd
final class LogIT {
  // A pipe has 64 KiB. The rest is enough for the start, and soon full.
  private static final int FILLED = 56 << 10;
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final Pattern LINE =
      Pattern.compile("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z (INFO |WARN |ERROR|DEBUG) .*");
  private static final Pattern STACK =
      Pattern.compile(
          "\\s+(at|\\.\\.\\.|Suppressed:) .*|Caused by: .*|[\\w.$]+(Exception|Error).*");

  // No engine plans with more.
  private static final long MOST_MEBIBYTES = 512;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void anEngineServesWhoseLogNobodyReads() {
    EngineHome home = LEAKS.home();
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "head -c " + FILLED + " /dev/zero; exec \"$@\"", "sh"));
    command.addAll(Installation.shipped(home.arguments("--container-num=2")));
    EngineProcess engine = home.runUnread(command);
    engine.awaitReady();
    engine.create(FunctionSpec.python("exits", "import os\ndef handler(e, c):\n    os._exit(1)"));

    new Siege(new EngineMemory(engine, MOST_MEBIBYTES), Innocent.modest(engine))
        .survives(() -> {
          for (int i = 0; i < 40; i++) {
            Answer changed =
                engine.send(
                    engine
                        .registry("/v1/functions/exits")
                        .PUT(BodyPublishers.ofString("{\"Description\":\"" + i + "\"}")));
            assertThat(changed.status()).describedAs("%s", changed).isEqualTo(200);
          }
          for (int i = 0; i < 10; i++) {
            assertThat(engine.invoke("exits", "{}").isFailed()).isTrue();
          }
        });
  }

  @Test
  void whatTenantsSayDoesNotLookLikeALineOfTheEngine() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    String forged = "\\u001b[2J\\n2026-01-01T00:00:00.000Z INFO  Engine: forged\\r\\u009b1m\\n";
    String inName = "\u001b[2J\n2026-01-01T00:00:00.000Z INFO  Engine: forged\n";
    List<FunctionSpec> tenants =
        List.of(
            FunctionSpec.python(
                "prints",
                "import os\nos.write(1, b'x" + forged.replace("\\u00", "\\x") + "')\nos._exit(1)"),
            FunctionSpec.node("throws", "throw new Error('" + forged + "');"),
            FunctionSpec.node(
                "writes", "require('fs').writeSync(2, '" + forged + "'); process.exit(1);"),
            FunctionSpec.node(
                "in-turn",
                "exports.handler = async () => { console.log('"
                    + forged
                    + "'); process.exit(1); };"),
            FunctionSpec.python(
                "garbage",
                """
                import os

                def handler(event, context):
                    for descriptor in range(3, 10):
                        try:
                            os.write(descriptor, b"\\x1b[2J\\n2026-01-01T00:00:00.000Z INFO  Engine: forged\\n")
                        except OSError:
                            pass
                    return 1
                """),
            FunctionSpec.node("linked", "")
                .withCode(
                    new Zip()
                        .file("index.js", "exports.handler = 1;")
                        .link(inName, "/etc/" + inName)),
            FunctionSpec.node("missing", "exports.handler = 1;").withHandler("index.\u001b[2J"));
    for (FunctionSpec tenant : tenants) {
      if (engine.tryCreate(tenant).status() == 200) {
        Answer _ = engine.invoke(tenant.name(), "{}");
      }
    }
    for (int port : List.of(engine.home().port(), engine.home().registryPort())) {
      try (RawClient client = RawClient.connect(port)) {
        client.send("GET /v1/functions/%0A%1B[2J%0A?Qualifier=\u001b[2J HTTP/1.1\r\n");
        client.send("Host: \u001b[2J\r\nX-Easyfaas-Account-Id: \u001b[2J\r\n");
        client.send("X-Easyfaas-Request-Id: \u001b[2J\r\n\r\n");
        assertThat(client.read(SOON).status()).isBetween(400, 499);
      }
    }

    assertThat(engine.log().lines())
        .allMatch(line -> LINE.matcher(line).matches() || STACK.matcher(line).matches());
    assertThat(engine.log()).doesNotMatch("(?s).*[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f].*");
    assertThat(engine.log().lines()).noneMatch(line -> line.startsWith("2026-01-01"));
  }
}
