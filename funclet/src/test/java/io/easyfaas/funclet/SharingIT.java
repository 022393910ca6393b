package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.WarmupRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a function learns of, or does to, those who use the files that it sees: the host and the
/// function in the next sandbox.
@RequiresRoot
@Timeout(60)
final class SharingIT {
  private static final String TOKEN = "0123456789abcdef".repeat(2);

  /// Whatever of these is there: `/proc/self/fd/0` is followed to what it is open at.
  private static final String SEEN =
      """
      import fcntl, os, socket
      SEEN = [path for path in ("/", "/etc", "/etc/hosts", "/usr/bin", "/usr/bin/true", "/var/task",
              "/var/task/main.py", "/var/runtime", "/var/runtime/file", "/proc/self/fd/0", "/dev/null",
              "/proc/keys", "/proc/bus", "/proc/kmsg") if os.path.exists(path)]
      engine = socket.socket(fileno=3)
      def wait():
          print("ready", flush=True)
          engine.recv(99)
      """;

  private static final String WATCH =
      """
      import ctypes, struct
      libc = ctypes.CDLL(None, use_errno=True)
      watcher = libc.inotify_init1(os.O_NONBLOCK)
      names = {libc.inotify_add_watch(watcher, path.encode(), 0xfff): path for path in SEEN}
      wait()
      seen = set()
      while True:
          try:
              events = os.read(watcher, 65536)
          except BlockingIOError:
              break
          while events:
              number, _, _, length = struct.unpack_from("iIII", events)
              seen.add(names[number] + ":" + events[16:16 + length].rstrip(b"\\0").decode())
              events = events[16 + length:]
      print(len(names), sorted(seen), flush=True)
      """;

  /// Locks each of them that nobody else has locked. Two may be one file.
  private static final String LOCK =
      """
      files, taken, own = [], [], set()
      for path in SEEN:
          if os.access(path, os.R_OK):
              files.append(os.open(path, os.O_RDONLY))
              number = os.fstat(files[-1])[1:3]
              try:
                  fcntl.flock(files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
                  own.add(number)
              except BlockingIOError:
                  if number not in own:
                      taken.append(path)
      print(taken, flush=True)
      """;

  @TempDir private Path home;
  private TestEngine engine;
  private Path runtimeFile;

  @BeforeEach
  void start() throws IOException {
    engine = TestEngine.start(home);
    runtimeFile = Files.createFile(home.resolve("runtime/file"));
  }

  @AfterEach
  void end() {
    engine.close();
  }

  @Test
  void whoUsesAFileThatItWatchesIsNotSeen() throws Exception {
    try (HandOvers handOvers = new HandOvers(home.resolve("w.sock"))) {
      engine.funclet().warmup(request(SEEN + WATCH, handOvers));
      HandOvers.HandOver watcher = handOvers.next();
      try (BufferedReader output = watcher.reader()) {
        assertThat(output.readLine()).isEqualTo("ready");

        assertThat(new ProcessBuilder("/usr/bin/true").start().waitFor()).isZero();
        assertThat(home.resolve("data/rootfs/etc").toFile().list()).isNotEmpty();
        assertThat(Files.readString(home.resolve("data/rootfs/etc/hosts"))).isEmpty();
        assertThat(Files.readString(runtimeFile)).isEmpty();
        assertThat(Files.readString(Path.of("/dev/null"))).isEmpty();
        assertThat(codeFile()).isNotEmpty();
        assertThat(engine.run(TestEngine.C1, "print(open('/var/runtime/file').read())\n"))
            .isEqualTo("\n");
        watcher.say("now");

        assertThat(output.readLine()).matches("\\d\\d \\[]");
      }
    }
  }

  @Test
  void whatItLocksIsNobodyElses() throws Exception {
    try (HandOvers handOvers = new HandOvers(home.resolve("l.sock"))) {
      engine.funclet().warmup(request(SEEN + LOCK + "wait()\n", handOvers));
      HandOvers.HandOver locker = handOvers.next();
      try (BufferedReader output = locker.reader()) {
        assertThat(output.readLine()).isEqualTo("[]");
        assertThat(output.readLine()).isEqualTo("ready");

        List<Path> taken = new ArrayList<>();
        for (Path file :
            List.of(
                Path.of("/usr/bin"),
                Path.of("/usr/bin/true"),
                Path.of("/dev/null"),
                home.resolve("data/rootfs"),
                home.resolve("data/rootfs/etc"),
                runtimeFile)) {
          if (new ProcessBuilder("flock", "-n", file.toString(), "true").start().waitFor() != 0) {
            taken.add(file);
          }
        }
        assertThat(taken).as("for the host").isEmpty();
        assertThat(engine.run(TestEngine.C1, SEEN + LOCK)).as("next door").isEqualTo("[]\n");
        locker.say("end");
      }
    }
  }

  private WarmupRequest request(String program, HandOvers handOvers) {
    return engine.request(TestEngine.C0, program, 64, handOvers.address(TOKEN, 0));
  }

  /// What the engine has unpacked.
  private String codeFile() throws IOException {
    try (var files = Files.walk(home.resolve("data/code"))) {
      Path file = files.filter(path -> path.endsWith("main.py")).findFirst().orElseThrow();
      return Files.readString(file);
    }
  }
}
