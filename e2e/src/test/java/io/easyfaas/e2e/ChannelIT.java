package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// What a tenant prepares on the way to the engine is not there for the next one, and what it
/// prints is told to nobody else.
@EndToEnd
final class ChannelIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  private static final String TAIL = "Log-Type";

  /// Leaves connections everywhere that look like a runner which has answered its first call, from
  /// many processes and until it is killed.
  private static final String SQUATTER =
      """
      import os, socket, stat, struct, time

      def frame(type, id, payload):
          return struct.pack(">IBBHI", 8 + len(payload), type, 0, 0, id) + payload

      STUFFING = (
          frame(1, 0, b'{"protocol":1,"language":"python","languageVersion":"0"}')
          + frame(11, 0, b"") * 100 + frame(3, 0, b'{"initMillis":1}')
          + frame(6, 1, b'"of the dead"'))

      def sockets():
          found = ["/run/easyfaas/runner.sock", "/run/easyfaas/output.sock"]
          for top, _, names in os.walk("/"):
              if not top.startswith(("/proc", "/usr")):
                  found += [os.path.join(top, name) for name in names]
          return [path for path in found if is_socket(path)]

      def is_socket(path):
          try:
              return stat.S_ISSOCK(os.stat(path).st_mode)
          except OSError:
              return False

      def squat(paths):
          kept = []
          while True:
              for path in paths:
                  try:
                      one = socket.socket(socket.AF_UNIX)
                      one.setblocking(False)
                      one.connect(path)
                      one.send(STUFFING)
                      kept.append(one)
                  except OSError:
                      pass
              del kept[:-2000]

      def handler(event, context):
          paths = sockets()
          if not paths:
              return "nothing to connect to"
          for _ in range(6):
              if os.fork() == 0:
                  squat(paths)
          time.sleep(60)
      """;

  /// Sends a socket to the engine, that keeps whoever closes it last for 40 seconds.
  private static final String LINGERER =
      """
      import array, os, socket, struct

      def lingering():
          listener = socket.create_server(("127.0.0.1", 0))
          client = socket.create_connection(listener.getsockname())
          server, _ = listener.accept()
          server.setblocking(False)
          try:
              while True:
                  server.send(bytes(65536))
          except BlockingIOError:
              pass
          server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 40))
          return server, client

      def handler(event, context):
          channel = socket.socket(fileno=os.dup(3))
          server, client = lingering()
          empty_log = struct.pack(">IBBHI", 8, 8, 0, 0, 0)
          rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [server.fileno()]))
          try:
              channel.sendmsg([empty_log], [rights])
          except PermissionError:
              pass
          linger = server.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
          server.detach()
          return struct.unpack("ii", linger)[0]
      """;

  @Test
  void aDeadTenantAnswersNobodysCall() {
    EngineProcess engine = LEAKS.start("--container-num=1", "--max-prewarmed=0");
    engine.create(FunctionSpec.python("squatter", SQUATTER).withTimeout(1).withMemory(256));
    engine.create(FunctionSpec.python("innocent", "def handler(e, c):\n    return e\n"));

    for (int round = 0; round < 8; round++) {
      CompletableFuture<Answer> dying = squat(engine);
      for (int call = 0; call < 3; call++) {
        String event = "\"round " + round + " call " + call + "\"";
        assertThat(engine.call("innocent", event)).isEqualTo(event.replace("\"", ""));
      }
      dying.join();
    }
  }

  @Test
  void aDeadTenantGetsNobodysOutput() {
    EngineProcess engine = LEAKS.start("--container-num=1", "--max-prewarmed=0");
    engine.create(FunctionSpec.python("squatter", SQUATTER).withTimeout(1).withMemory(256));
    engine.create(
        FunctionSpec.python(
            "innocent",
            """
            import subprocess

            def handler(event, context):
                return subprocess.run(["/bin/sh", "-c", "echo out; echo err >&2"]).returncode
            """));

    for (int round = 0; round < 8; round++) {
      CompletableFuture<Answer> dying = squat(engine);
      Answer answer = engine.invoke("innocent", "{}", TAIL, "Tail");
      dying.join();
      assertThat(answer.text()).isEqualTo("0");
      assertThat(answer.log()).contains("\nout\nerr\nEND ");
    }
  }

  @Test
  void noSocketOfATenantKeepsWhoeverClosesIt() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(FunctionSpec.python("lingerer", LINGERER));
    engine.create(FunctionSpec.python("innocent", "def handler(e, c):\n    return e\n"));

    assertThat(engine.call("lingerer", "{}")).as("l_onoff of its SO_LINGER").isEqualTo("0");
    assertThat(engine.call("innocent", "\"x\"")).isEqualTo("x");
  }

  @Test
  void whatACallPrintsByAnyWayIsInItsLog() {
    EngineProcess engine = LEAKS.start("--container-num=1");
    engine.create(
        FunctionSpec.python(
            "both",
            """
            import os

            def handler(event, context):
                print("hi")
                os.write(1, b"x\\n")
                return 1
            """));

    for (int call = 0; call < 240; call++) {
      Answer answer = engine.invoke("both", "{}", TAIL, "Tail");
      assertThat(answer.log()).as("call %s", call).contains("\nhi\n").contains("\nx\n");
    }
  }

  @Test
  void noLogHasALineOfAnotherCall() {
    EngineProcess engine = LEAKS.start("--container-num=10");
    engine.create(
        FunctionSpec.python(
            "both",
            """
            import os

            def handler(event, context):
                print("printed", event)
                os.write(1, b"written %d\\n" % event)
                return event
            """));
    List<CompletableFuture<Void>> callers =
        IntStream.range(0, 12)
            .mapToObj(caller ->
                CompletableFuture.runAsync(() -> {
                  for (int i = 0; i < 40; i++) {
                    int number = caller * 1000 + i;
                    Answer answer = engine.invoke("both", "" + number, TAIL, "Tail");
                    assertThat(answer.text()).isEqualTo("" + number);
                    List<String> lines =
                        answer
                            .log()
                            .lines()
                            .filter(line -> line.matches("(printed|written).*"))
                            .toList();
                    assertThat(lines)
                        .containsExactlyInAnyOrder("printed " + number, "written " + number);
                  }
                }))
            .toList();

    callers.forEach(CompletableFuture::join);
  }

  @Test
  void aLoggerThatWritesToTheDescriptorLosesNothingBesideTheConsole() {
    EngineProcess engine = LEAKS.start("--container-num=1");
    engine.create(
        FunctionSpec.node(
            "pino",
            """
            const fs = require('node:fs');
            exports.handler = async (event) => {
              console.log('console');
              for (let i = 0; i < 20; i++) fs.writeSync(1, `line ${event}.${i}\\n`);
              return event;
            };
            """));

    for (int call = 0; call < 50; call++) {
      Answer answer = engine.invoke("pino", "" + call, TAIL, "Tail");
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        expected.add("line " + call + "." + i);
      }
      assertThat(answer.log().lines().filter(line -> line.startsWith("line ")))
          .containsExactlyElementsOf(expected);
    }
  }

  @Test
  void whatIsPrintedWhileLoadingIsInTheLogOfTheCallThatCausedIt() {
    EngineProcess engine = LEAKS.start("--container-num=1");
    engine.create(
        FunctionSpec.python(
            "chatty",
            """
            import os
            print("loading, printed")
            os.write(2, b"loading, written\\n")

            def handler(event, context):
                print("called")
            """));
    engine.create(
        FunctionSpec.python("broken", "print('about to fail')\nraise ValueError('no')\n"));

    String first = engine.invoke("chatty", "{}", TAIL, "Tail").log();
    assertThat(first).contains("loading, printed").contains("loading, written").contains("called");
    assertThat(first.indexOf("loading")).isLessThan(first.indexOf("called"));
    assertThat(engine.invoke("chatty", "{}", TAIL, "Tail").log())
        .contains("called")
        .doesNotContain("loading");
    assertThat(engine.invoke("broken", "{}", TAIL, "Tail").log()).contains("about to fail");
  }

  @Test
  void itsOutputCanBeOpenedAnew() {
    EngineProcess engine = LEAKS.start("--container-num=1");
    engine.create(
        FunctionSpec.python(
            "opens",
            """
            import os

            def handler(event, context):
                for path in ("/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/2"):
                    with open(path, "w") as file:
                        file.write("through " + path + "\\n")
                return os.system("echo from a shell > /dev/stdout; echo and err > /dev/stderr")
            """));

    Answer answer = engine.invoke("opens", "{}", TAIL, "Tail");

    assertThat(answer.text()).isEqualTo("0");
    assertThat(answer.log())
        .contains(
            "through /dev/stdout\n",
            "through /dev/stderr\n",
            "through /dev/fd/1\n",
            "through /proc/self/fd/2\n",
            "from a shell\n",
            "and err\n");
  }

  @Test
  void childrenOfUserCodeHaveNoWayToTheEngine() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.python(
            "python",
            """
            import subprocess

            def handler(event, context):
                return subprocess.run(
                    ["/bin/sh", "-c", "ls /proc/self/fd"], close_fds=False, capture_output=True
                ).stdout.decode().split()
            """));
    engine.create(
        FunctionSpec.node(
            "node",
            """
            const { execFileSync } = require('node:child_process');
            exports.handler = async () =>
              execFileSync('/bin/sh', ['-c', 'ls /proc/self/fd']).toString().trim().split('\\n');
            """));

    // The last is the directory that `ls` reads.
    assertThat(engine.call("python", "{}")).isEqualTo("[\"0\",\"1\",\"2\",\"3\"]");
    assertThat(engine.call("node", "{}")).isEqualTo("[\"0\",\"1\",\"2\",\"3\"]");
  }

  /// Has a squatter at work while the engine cannot do anything against it, and its time is over
  /// when the engine can.
  private static CompletableFuture<Answer> squat(EngineProcess engine) {
    CompletableFuture<Answer> call = engine.invokeAsync("squatter", "{}");
    LockSupport.parkNanos(Duration.ofMillis(600).toNanos());
    signal("STOP", engine);
    LockSupport.parkNanos(Duration.ofMillis(1500).toNanos());
    signal("CONT", engine);
    return call;
  }

  private static void signal(String name, EngineProcess engine) {
    Command.run(List.of("/bin/kill", "-" + name, Long.toString(engine.pid())), Map.of());
  }
}
