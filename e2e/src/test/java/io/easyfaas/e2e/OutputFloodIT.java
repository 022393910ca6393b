package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Functions that print more than anybody wants to keep.
@EndToEnd
final class OutputFloodIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private EngineHome home;
  private EngineProcess engine;
  private Siege siege;

  @BeforeEach
  void startEngine() {
    home = LEAKS.home();
    engine =
        home.startShipped(
            "--container-num=6", "--userlog-filepath=" + home.directory().resolve("userlog"));
    siege = new Siege(engine, Innocent.modest(engine), Innocent.large(engine));
  }

  @Test
  void tenCallsThatPrintThreeMillionShortLines() {
    engine.create(
        FunctionSpec.python(
                "chatty",
                """
                def handler(event, context):
                    for _ in range(300):
                        print("a\\n" * 10_000, end="", flush=True)
                    return "done"
                """)
            .withQuota(10)
            .withUserLog()
            .withTimeout(60));

    siege.survives(() -> {
      List<CompletableFuture<Answer>> calls =
          Stream.generate(() -> engine.invokeAsync("chatty", "{}", "Log-Type", "Tail"))
              .limit(10)
              .toList();

      assertThat(calls)
          .allSatisfy(call -> {
            assertThat(call.join().text()).describedAs("%s", call.join()).isEqualTo("done");
            assertThat(call.join().log()).contains("a\na\na\n");
          });
    });
  }

  @Test
  void childrenThatWriteToTheirInheritedOutput() {
    engine.create(
        FunctionSpec.python(
                "noisy",
                """
                import os

                def handler(event, context):
                    for _ in range(4):
                        if os.fork() == 0:
                            for _ in range(300):
                                os.write(2, b"b\\n" * 30_000)
                            os._exit(0)
                    for _ in range(4):
                        os.wait()
                    return "done"
                """)
            .withUserLog()
            .withTimeout(60));

    siege.survives(() -> {
      Answer answer = engine.invoke("noisy", "{}", "Log-Type", "Tail");

      assertThat(answer.text()).describedAs("%s", answer).isEqualTo("done");
    });
  }
}
