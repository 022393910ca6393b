package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/// Whatever a function does to itself, its caller is told what it was, and the slot, the only one,
/// takes the next call.
@EndToEnd
final class CrashIT {
  private static final String EXITED = " Process exited before completing request";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;
  private static Shell python;
  private static Shell node;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=1");
    python = Shell.create(engine, Shell.python("python-shell"));
    node = Shell.create(engine, Shell.node("node-shell"));
  }

  @Test
  void processExitInNode() {
    JsonNode error = failure(node.attempt("process.exit(3)"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertThat(error.get("errorMessage").asString()).endsWith(EXITED + ": exit status 3");
    assertServesAtOnce(node);
  }

  @Test
  void processExitInNodeIsToldWithItsLog() {
    Answer answer =
        engine.invoke(
            node.name(),
            Shell.event("console.log('last words'); process.exit(0)"),
            "Log-Type",
            "Tail");

    assertThat(failure(answer).get("errorMessage").asString()).endsWith(EXITED + ": exit status 0");
    assertThat(answer.log()).contains("last words");
  }

  @Test
  void osExitInPython() {
    JsonNode error = failure(python.attempt("os._exit(3)"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertThat(error.get("errorMessage").asString()).endsWith(EXITED + ": exit status 3");
    assertServesAtOnce(python);
  }

  @Test
  void sysExitInPython() {
    JsonNode error = failure(python.attempt("sys.exit(3)"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertServesAtOnce(python);
  }

  @Test
  void segmentationFault() {
    JsonNode error = failure(python.attempt("ctypes.string_at(0)"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertThat(error.get("errorMessage").asString())
        .endsWith(EXITED + ": signal: segmentation fault");
    assertServesAtOnce(python);
  }

  @Test
  void aSignalToItself() {
    JsonNode error = failure(python.attempt("os.kill(os.getpid(), signal.SIGKILL)"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertThat(error.get("errorMessage").asString()).endsWith(EXITED + ": signal: killed");
    assertServesAtOnce(python);
  }

  @Test
  void outOfMemoryInPythonIsNamed() {
    JsonNode error =
        failure(
            python.attempt(
                """
                hoard = []
                while True:
                    hoard.append(bytearray(os.urandom(4096) * 256))
                """));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.OutOfMemory");
    assertThat(error.get("errorMessage").asString())
        .endsWith(EXITED + ": out of memory (limit 128MB)");
    assertServesAtOnce(python);
  }

  @Test
  void outOfMemoryInNodeIsNamed() {
    JsonNode error =
        failure(
            node.attempt(
                """
                const hoard = [];
                for (;;) hoard.push(Buffer.alloc(1 << 20, 1));
                """));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.OutOfMemory");
    assertThat(error.get("errorMessage").asString())
        .endsWith(EXITED + ": out of memory (limit 128MB)");
    assertServesAtOnce(node);
  }

  @Test
  void theEndOfTheProcessIsToldAlsoWhenItsChildrenGoOn() {
    Shell parent = Shell.create(engine, Shell.python("parent").withTimeout(5));

    JsonNode exit =
        failure(
            parent.attempt(
                """
                if os.fork() == 0:
                    time.sleep(600)
                os._exit(3)
                """));
    JsonNode outOfMemory =
        failure(
            parent.attempt(
                """
                if os.fork() == 0:
                    time.sleep(600)
                hoard = []
                while True:
                    hoard.append(bytearray(os.urandom(4096) * 256))
                """));

    assertThat(exit.get("errorType").asString()).isEqualTo("Runtime.ExitError");
    assertThat(outOfMemory.get("errorType").asString()).isEqualTo("Runtime.OutOfMemory");
    assertServesAtOnce(parent);
  }

  @Test
  void aForkedChildThatReturnsDoesNotAnswerForItsParent() {
    Shell forker = Shell.create(engine, Shell.python("forker").withTimeout(5));
    String code =
        """
        state.setdefault("parent", os.getpid())
        child = os.fork()
        if child > 0:
            os.waitpid(child, 0)
        return os.getpid() == state["parent"]
        """;

    for (int i = 0; i < 5; i++) {
      assertThat(forker.run(code).asBoolean()).describedAs("call %d", i).isTrue();
    }
  }

  @Test
  void aTimedOutFunctionIsReallyDead() {
    Shell sleeper = Shell.create(engine, Shell.python("sleeper").withTimeout(1));
    sleeper.run("state['trace'] = 'of the first sandbox'");

    JsonNode error = Answer.json(sleeper.attempt("time.sleep(600)").text());

    assertThat(error.get("errorMessage").asString()).endsWith(" Task timed out after 1 seconds");
    assertThat(sleeper.run("return len(state)").asInt()).isZero();
  }

  @Test
  void aFunctionThatIgnoresSignalsAndHasChildrenIsDeadAfterItsTimeout() {
    Shell stubborn = Shell.create(engine, Shell.python("stubborn").withTimeout(1));

    stubborn.attempt(
        """
        for each in range(1, signal.NSIG):
            attempt(lambda: signal.signal(each, signal.SIG_IGN))
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                while True:
                    time.sleep(1)
        while True:
            pass
        """);

    assertThat(stubborn.run("return [p for p in os.listdir('/proc') if p.isdigit()]").size())
        .describedAs("processes of the next sandbox")
        .isEqualTo(1);
  }

  @Test
  void aBusyLoopInNodeTimesOut() {
    Shell spinner = Shell.create(engine, Shell.node("spinner").withTimeout(1));

    JsonNode error = Answer.json(spinner.attempt("for (;;);").text());

    assertThat(error.get("errorMessage").asString()).endsWith(" Task timed out after 1 seconds");
    assertServesAtOnce(spinner);
  }

  @Test
  void anUnhandledRejection() {
    JsonNode error =
        failure(
            node.attempt(
                "Promise.reject(new RangeError('nobody cares')); await new Promise(() => {});"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.UnhandledPromiseRejection");
    assertThat(error.get("errorMessage").asString()).contains("nobody cares");
    assertServesAtOnce(node);
  }

  @Test
  void anUncaughtExceptionOutsideTheHandler() {
    JsonNode error =
        failure(
            node.attempt(
                "setTimeout(() => { throw new Error('too late'); }, 1); await new Promise(() => {});"));

    assertThat(error.get("errorType").asString()).isEqualTo("Runtime.UncaughtException");
    assertThat(error.get("errorMessage").asString()).contains("too late");
    assertServesAtOnce(node);
  }

  @Test
  void anExceptionHasItsTypeMessageAndStack() {
    JsonNode inPython =
        failure(
            engine.invoke(
                engine.create(
                    FunctionSpec.python(
                        "raises",
                        """
                        def inner():
                            raise LookupError("not there")

                        def handler(event, context):
                            inner()
                        """)),
                "{}"));
    JsonNode inNode =
        failure(
            engine.invoke(
                engine.create(
                    FunctionSpec.node(
                        "throws",
                        """
                        function inner() { throw new RangeError('out of it'); }
                        exports.handler = async () => inner();
                        """)),
                "{}"));

    assertThat(inPython.get("errorType").asString()).isEqualTo("LookupError");
    assertThat(inPython.get("errorMessage").asString()).isEqualTo("not there");
    assertThat(inPython.at("/stackTrace/0").asString()).contains("inner").contains("index.py");
    assertThat(inNode.get("errorType").asString()).isEqualTo("RangeError");
    assertThat(inNode.get("errorMessage").asString()).isEqualTo("out of it");
    assertThat(inNode.at("/stackTrace/0").asString()).contains("inner").contains("index.js");
  }

  @Test
  void aSyntaxErrorIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("bad-js", "exports.handler = async () => {{{;")))
        .isEqualTo("Runtime.UserCodeSyntaxError");
    assertThat(failureOf(FunctionSpec.python("bad-py", "def handler(event, context)\n  return 1")))
        .isEqualTo("Runtime.UserCodeSyntaxError");
  }

  @Test
  void aMissingModuleIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("lonely-js", "require('no-such-module');")))
        .isEqualTo("Runtime.ImportModuleError");
    assertThat(failureOf(FunctionSpec.python("lonely-py", "import no_such_module")))
        .isEqualTo("Runtime.ImportModuleError");
  }

  @Test
  void aHandlerThatDoesNotExistIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("empty-js", "exports.other = 1;")))
        .isEqualTo("Runtime.HandlerNotFound");
    assertThat(failureOf(FunctionSpec.python("empty-py", "other = 1")))
        .isEqualTo("Runtime.HandlerNotFound");
  }

  @Test
  void aHandlerFileThatDoesNotExistIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("elsewhere-js", "1").withHandler("missing.handler")))
        .isEqualTo("Runtime.ImportModuleError");
    assertThat(failureOf(FunctionSpec.python("elsewhere-py", "1").withHandler("missing.handler")))
        .isEqualTo("Runtime.ImportModuleError");
  }

  @Test
  void aFunctionThatExitsWhileItLoadsIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("quits-js", "process.exit(1);")))
        .isEqualTo("Runtime.ExitError");
    assertThat(failureOf(FunctionSpec.python("quits-py", "import os\nos._exit(1)")))
        .isEqualTo("Runtime.ExitError");
  }

  @Test
  void anExceptionWhileLoadingHasItsTypeMessageAndStack() {
    Answer answer =
        engine.invoke(
            engine.create(FunctionSpec.node("unlucky-js", "throw new RangeError('at once');")),
            "{}");

    JsonNode error = failure(answer);
    assertThat(error.get("errorType").asString()).isEqualTo("RangeError");
    assertThat(error.get("errorMessage").asString()).isEqualTo("at once");
  }

  @Test
  void anAnswerThatIsNoJsonIsToldAtTheCall() {
    assertThat(failureOf(FunctionSpec.node("ring", "exports.handler = async () => ({ n: 1n });")))
        .isEqualTo("Runtime.MarshalError");
    assertThat(
            failureOf(
                FunctionSpec.python("set", "def handler(event, context):\n    return {1, 2}")))
        .isEqualTo("Runtime.MarshalError");
  }

  @Test
  void everyCallInFlightFailsWithTheSandbox() {
    engine.create(
        FunctionSpec.node(
                "shared-fate",
                """
                let calls = 0;
                exports.handler = () => new Promise(() => { if (++calls === 3) process.exit(1); });
                """)
            .withQuota(3));
    List<CompletableFuture<Answer>> calls =
        Stream.generate(() -> engine.invokeAsync("shared-fate", "{}")).limit(3).toList();

    assertThat(calls)
        .allSatisfy(call ->
            assertThat(failure(call.join()).get("errorType").asString())
                .isEqualTo("Runtime.ExitError"));
  }

  @Test
  void aCrashLoopDoesNotWearTheEngineOut() {
    for (int i = 0; i < 10; i++) {
      failure(python.attempt("os._exit(1)"));
    }

    assertServesAtOnce(python);
    assertServesAtOnce(node);
  }

  @Test
  void aFunctionIsUntouchedByWhatAnotherDid() {
    FunctionSpec variable =
        FunctionSpec.node("variable", "exports.handler = async () => process.env.WHO;")
            .withVariables(Map.of("WHO", "me"));
    engine.create(variable);

    failure(python.attempt("os.environ['WHO'] = 'you'; os._exit(1)"));

    assertThat(engine.call("variable", "{}")).isEqualTo("me");
  }

  private static String failureOf(FunctionSpec function) {
    return failure(engine.invoke(engine.create(function), "{}")).get("errorType").asString();
  }

  /// The error object of a function that failed: always these three members, in this order.
  private static JsonNode failure(Answer answer) {
    assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200);
    assertThat(answer.header("X-easyfaas-Function-Error"))
        .describedAs("%s", answer)
        .contains("Unhandled");
    JsonNode error = answer.json();
    assertThat(error.propertyNames()).containsExactly("errorMessage", "errorType", "stackTrace");
    assertThat(error.get("stackTrace").isArray()).isTrue();
    return error;
  }

  private static void assertServesAtOnce(Shell shell) {
    assertThat(shell.run("return 41 + 1").asInt()).isEqualTo(42);
  }
}
