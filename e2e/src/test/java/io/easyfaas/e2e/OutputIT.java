package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// What one call prints comes whole and in order, whoever in its sandbox printed it how.
@EndToEnd
final class OutputIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static final int CALLERS = 8;
  private static final int CALLS = 10;

  private static EngineProcess engine;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=4");
  }

  @Test
  void thePrintsOfNodeAndOfItsChildrenKeepTheirOrder() {
    assertInOrder(
        FunctionSpec.node(
            "order-js",
            """
            const fs = require('fs');
            const { execFileSync, spawn } = require('child_process');
            exports.handler = async ({ n }) => {
              let line = 0;
              const next = () => `${n} ${line++}\\n`;
              for (let round = 0; round < 2; round++) {
                console.log(next().trim());
                fs.writeSync(1, next());
                console.error(next().trim());
                execFileSync('/bin/sh', ['-c', `printf '%s' '${next()}'`], { stdio: 'inherit' });
                process.stdout.write(next());
                fs.writeSync(2, next());
                fs.appendFileSync('/dev/stdout', next());
                await new Promise((done) => fs.write(1, next(), done));
                console.log(next().trim());
                const child = spawn('/bin/sh', ['-c', `echo '${next()}'`], { stdio: 'inherit' });
                await new Promise((done) => child.on('close', done));
                fs.write(2, next(), () => {});
                console.log(next().trim());
              }
              return String(line);
            };
            """));
  }

  @Test
  void thePrintsOfPythonAndOfItsChildrenKeepTheirOrder() {
    assertInOrder(
        FunctionSpec.python(
            "order-py",
            """
            import os, subprocess, sys

            def handler(event, context):
                line = 0
                def next():
                    nonlocal line
                    line += 1
                    return f"{event['n']} {line - 1}"
                for _ in range(3):
                    print(next())
                    os.write(1, (next() + "\\n").encode())
                    print(next(), file=sys.stderr)
                    subprocess.run(["/bin/sh", "-c", f"echo {next()}"])
                    sys.stdout.buffer.write((next() + "\\n").encode())
                    os.write(2, (next() + "\\n").encode())
                    with open("/dev/stdout", "w") as out:
                        out.write(next() + "\\n")
                    print(next())
                return str(line)
            """));
  }

  /// A logger that collects lines while a write is under way, as pino's asynchronous destination
  /// does.
  @Test
  void whatALoggerWritesLateIsStillItsCalls() {
    engine.create(
        FunctionSpec.node(
                "late-js",
                """
                const fs = require('fs');
                let collected = '';
                let writing = false;
                const release = () => {
                  writing = collected !== '';
                  if (writing) {
                    const text = collected.slice(0, 256);
                    collected = collected.slice(text.length);
                    fs.write(1, text, 'utf8', release);
                  }
                };
                const log = (line) => {
                  collected += line + '\\n';
                  if (!writing) release();
                };
                exports.handler = async ({ n }) => {
                  for (let i = 0; i < 100; i++) {
                    if (i === 50) console.log(`${n} beside`);
                    log(`${n} ${i}`);
                  }
                  return '100';
                };
                """)
            .withTimeout(20));

    assertThat(answers("late-js"))
        .allSatisfy((n, answer) -> {
          assertThat(answer.text()).isEqualTo("100");
          assertThat(printed(answer).filter(line -> !line.endsWith(" beside")))
              .containsExactlyElementsOf(
                  IntStream.range(0, 100).mapToObj(i -> n + " " + i).toList());
          assertThat(printed(answer)).contains(n + " beside");
        });
  }

  @Test
  void whatIsPrintedWhenTheProcessExitsIsStillTheCalls() {
    for (FunctionSpec function :
        List.of(
            FunctionSpec.node(
                "exits-js",
                """
                process.on('exit', () => {
                  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
                  console.log('goodbye');
                });
                exports.handler = async () => process.exit(3);
                """),
            FunctionSpec.python(
                "exits-py",
                """
                import atexit, sys, time

                def goodbye():
                    time.sleep(0.3)
                    print('goodbye')

                atexit.register(goodbye)

                def handler(event, context):
                    sys.exit(3)
                """))) {
      engine.create(function.withTimeout(20));

      Answer answer = engine.invoke(function.name(), "{}", "Log-Type", "Tail");

      assertThat(answer.text()).contains("exit status 3");
      assertThat(answer.log().lines()).contains("goodbye");
    }
  }

  private static void assertInOrder(FunctionSpec function) {
    engine.create(function.withTimeout(20));

    assertThat(answers(function.name()))
        .allSatisfy((n, answer) -> {
          int lines = Integer.parseInt(answer.text());
          assertThat(printed(answer))
              .containsExactlyElementsOf(
                  IntStream.range(0, lines).mapToObj(i -> n + " " + i).toList());
        });
  }

  /// What a call printed.
  private static Stream<String> printed(Answer answer) {
    return answer
        .log()
        .lines()
        .filter(line -> !line.isEmpty() && Character.isDigit(line.charAt(0)));
  }

  /// Many calls, some at the same time, by number.
  private static Map<Integer, Answer> answers(String function) {
    Map<Integer, Answer> answers = new ConcurrentHashMap<>();
    List<CompletableFuture<Void>> callers = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      int first = caller * CALLS;
      callers.add(
          CompletableFuture.runAsync(() -> {
            for (int n = first; n < first + CALLS; n++) {
              answers.put(n, engine.invoke(function, "{\"n\":" + n + "}", "Log-Type", "Tail"));
            }
          }));
    }
    callers.forEach(CompletableFuture::join);
    return answers;
  }
}
