package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.Damage;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.userlog.Transcript.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UserLogTest {
  private static final long TIME = 1_704_067_200_000L;
  private static final UserLogLimits WIDE =
      new UserLogLimits(
          ByteSize.ofMebibytes(6), ByteSize.ofMebibytes(4), 4, ByteSize.ofMebibytes(64));

  @TempDir private Path home;

  @Test
  void jsonLinesHaveTheirMembersInOrder() throws Exception {
    write(UserLogFormat.JSON, WIDE, call("R1", out("hello\n")));

    List<String> lines = Files.readAllLines(file("f"));
    assertThat(lines.get(0))
        .isEqualTo(
            "{\"rid\":\"R1\",\"msg\":\"hello\",\"src\":\"stdout\",\"brn\":\""
                + brn(Account.DEFAULT, "f")
                + "\",\"func\":\"f\","
                + "\"version\":\"1\",\"userid\":\"df391b08c64c426a81645468c75163a5\","
                + "\"runtimeID\":\"c0\",\"triggerType\":\"generic\","
                + "\"ts\":\"2024-01-01T00:00:00Z\"}");
    assertThat(lines.get(1))
        .contains("\"msg\":\"REPORT RequestID: R1\"")
        .contains("\"invocationTime\":17,\"memoryUsage\":0,\"invokeMode\":\"common\"")
        .contains("\"responseStatus\":200");
  }

  @Test
  void linesMayComeInPiecesAndMayBeEmpty() throws Exception {
    write(
        UserLogFormat.PLAIN,
        WIDE,
        call("R1", out("he"), err("error\n\n"), out("llo\n"), out("not ended")));

    assertThat(Files.readAllLines(file("f")))
        .containsExactly(
            "2024-01-01T00:00:00.000Z\tR1\terror",
            "2024-01-01T00:00:00.000Z\tR1\t",
            "2024-01-01T00:00:00.000Z\tR1\thello",
            "2024-01-01T00:00:00.000Z\tR1\tnot ended",
            "2024-01-01T00:00:00.000Z\tR1\tREPORT RequestID: R1");
  }

  @Test
  void aCharacterMayComeInPieces() throws Exception {
    byte[] euro = "€\n".getBytes(UTF_8);

    write(
        UserLogFormat.PLAIN,
        WIDE,
        call(
            "R1",
            new Piece(Source.STDOUT, new byte[] {euro[0]}),
            err("between\n"),
            new Piece(Source.STDOUT, new byte[] {euro[1]}),
            new Piece(Source.STDOUT, new byte[] {euro[2], euro[3]})));

    assertThat(Files.readString(file("f"))).contains("\tR1\t€\n").doesNotContain("\uFFFD");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PLAIN", "JSON"})
  void outputWithoutACallIsTheFunctions(String format) throws Exception {
    Transcript transcript = new Transcript(1000);
    transcript.add(Source.STDERR, ByteBuffer.wrap("loading\n".getBytes(UTF_8)), TIME);

    write(
        UserLogFormat.valueOf(format),
        WIDE,
        new FunctionOutput(function(Account.DEFAULT, "f"), "c0", transcript));

    assertThat(Files.readAllLines(file("f")))
        .containsExactly(
            format.equals("PLAIN")
                ? "2024-01-01T00:00:00.000Z\t-\tloading"
                : "{\"msg\":\"loading\",\"src\":\"stderr\",\"brn\":\""
                    + brn(Account.DEFAULT, "f")
                    + "\",\"func\":\"f\",\"version\":\"1\",\"userid\":\""
                    + Account.DEFAULT.id()
                    + "\",\"runtimeID\":\"c0\",\"ts\":\"2024-01-01T00:00:00Z\"}");
  }

  @Test
  void aCallThatWritesTooMuchIsCutAndSaysByHowMuch() throws Exception {
    UserLogLimits limits = limits(1000, 100_000, 1, 1_000_000);

    write(UserLogFormat.PLAIN, limits, call("R1", out("a\n".repeat(300_000))));

    List<String> lines = Files.readAllLines(file("f"));
    int kept = lines.size() - 2;
    assertThat(Files.size(file("f"))).isLessThan(1200);
    assertThat(lines.get(lines.size() - 2))
        .endsWith("\tR1\tCUT " + (600_000 - 2 * kept) + " more bytes of output are not kept");
    assertThat(lines.getLast()).endsWith("REPORT RequestID: R1");
  }

  @Test
  void whatTheTranscriptCutIsToldToo() throws Exception {
    Transcript transcript = new Transcript(20);
    transcript.add(Source.STDOUT, ByteBuffer.wrap("012345".getBytes(UTF_8)), TIME);

    write(
        UserLogFormat.PLAIN,
        WIDE,
        new FunctionOutput(function(Account.DEFAULT, "f"), "c0", transcript));

    assertThat(Files.readAllLines(file("f")))
        .containsExactly(
            "2024-01-01T00:00:00.000Z\t-\t0123",
            "2024-01-01T00:00:00.000Z\t-\tCUT 2 more bytes of output are not kept");
  }

  @Test
  void aFunctionsFilesAreRotatedAndNoMoreThanSomeAreKept() throws Exception {
    UserLogLimits limits = limits(10_000, 1300, 3, 1_000_000);

    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, limits)) {
      for (int i = 0; i < 20; i++) {
        log.offer(call("R" + i, out(Integer.toString(i).repeat(500) + "\n")));
      }
    }

    try (Stream<Path> files = Files.list(file("f").getParent())) {
      assertThat(files.map(path -> path.getFileName().toString()).sorted())
          .containsExactly("output.log", "output.log.1", "output.log.2");
    }
    assertThat(Files.readString(file("f"))).contains("\tR19\t");
    assertThat(Files.readString(file("f").resolveSibling("output.log.1"))).contains("\tR18\t");
    assertThat(Files.readString(file("f").resolveSibling("output.log.2"))).contains("\tR17\t");
  }

  @Test
  void aLineLargerThanAFileIsBrokenAndNothingElse() throws Exception {
    UserLogLimits limits = limits(1_000_000, 65_536, 20, 10_000_000);
    String line = "x".repeat(200_000);

    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, limits)) {
      log.offer(call("R1", out("short\n" + line + "\n")));
      log.offer(call("R2", out("last\n")));
    }

    Path directory = requireNonNull(file("f").getParent());
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files)
          .hasSizeGreaterThan(3)
          .allSatisfy(file -> assertThat(Files.size(file)).isLessThanOrEqualTo(65_536));
    }
    assertThat(directory.resolve("output.log.4")).content().endsWith("\tR1\tshort\n");
    assertThat(file("f")).content().contains("\tR2\tlast\n");
  }

  @Test
  void noFileGetsLargerThanItsLimit() throws Exception {
    UserLogLimits limits = limits(100_000, 70_000, 10, 10_000_000);

    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, limits)) {
      for (int i = 0; i < 5; i++) {
        log.offer(call("R" + i, out("a\n".repeat(10_000))));
      }
    }

    try (Stream<Path> files = Files.list(file("f").getParent())) {
      assertThat(files)
          .hasSizeGreaterThan(4)
          .allSatisfy(file -> assertThat(Files.size(file)).isLessThanOrEqualTo(70_000));
    }
  }

  @Test
  void whoWritesMostLosesTheOldestFirst() throws Exception {
    Account loud = new Account("loud");
    UserLogLimits limits = limits(100_000, 20_000, 2, 200_000);

    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, limits)) {
      log.offer(call(Account.DEFAULT, "quiet", "Q", out("I was here\n")));
      for (int i = 0; i < 100; i++) {
        log.offer(call(loud, "f" + i, "L" + i, out("x".repeat(10_000) + "\n")));
      }
    }

    assertThat(DiskTree.use(root()).bytes()).isLessThanOrEqualTo(210_000);
    assertThat(file("quiet")).content().contains("I was here");
    assertThat(file(loud, "f99")).exists();
    assertThat(file(loud, "f0").getParent()).doesNotExist();
  }

  @Test
  void whatIsThereCountsAfterARestart() throws Exception {
    UserLogLimits limits = limits(100_000, 20_000, 2, 100_000);
    for (int i = 0; i < 20; i++) {
      write(
          UserLogFormat.PLAIN, limits, call(Account.DEFAULT, "f" + i, "R", out("x".repeat(9000))));
    }

    assertThat(DiskTree.use(root()).bytes()).isLessThanOrEqualTo(110_000);
  }

  @Test
  void othersCannotReadIt() throws Exception {
    write(UserLogFormat.PLAIN, WIDE, call("R1", out("secret\n")));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file("f"))))
        .isEqualTo("rw-r-----");
    for (Path directory : List.of(root(), file("f").getParent())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
          .isEqualTo("rwxr-x---");
    }
  }

  @Test
  void noLinkIsFollowed() throws Exception {
    write(UserLogFormat.PLAIN, WIDE, call("R1", out("first\n")));
    Path target = Files.writeString(home.resolve("target"), "untouched");
    Files.delete(file("f"));
    Files.createSymbolicLink(file("f"), target);

    write(UserLogFormat.PLAIN, WIDE, call("R2", out("second\n")));

    assertThat(target).hasContent("untouched");
    assertThat(file("f")).isRegularFile().content().contains("second");
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInPlaceOfItsFilesIsReplaced(Damage damage) throws Exception {
    UserLogLimits limits = limits(1000, 300, 3, 1_000_000);
    write(UserLogFormat.PLAIN, limits, call("R1", out("first\n")));
    damage.to(file("f"));
    damage.to(file("f").resolveSibling("output.log.1"));
    damage.to(file("f").resolveSibling("output.log.2"));
    damage.to(root().resolve(brn(Account.DEFAULT, "g")));
    damage.to(root().resolve("no function of ours"));

    write(UserLogFormat.PLAIN, limits, call("R2", out("x".repeat(200) + "\n")));
    write(UserLogFormat.PLAIN, limits, call(Account.DEFAULT, "g", "R3", out("g\n")));

    write(UserLogFormat.PLAIN, limits, call("R4", out("y".repeat(200) + "\n")));

    try (Stream<Path> files = Files.list(file("f").getParent())) {
      assertThat(files)
          .anySatisfy(path -> assertThat(path).content().contains("\tR2\tx"))
          .anySatisfy(path -> assertThat(path).content().contains("\tR4\ty"));
    }
    assertThat(file("g")).content().contains("\tR3\tg");
    assertThat(root().resolve("nowhere")).doesNotExist();
  }

  @Test
  void aDirectoryThatOthersControlIsNotWrittenTo() throws Exception {
    Path target = Files.createDirectory(home.resolve("target"));
    Files.createSymbolicLink(root(), target);
    assertThat(write(UserLogFormat.PLAIN, WIDE, call("R1", out("x\n"))).dropped()).isEqualTo(1);
    assertThat(target).isEmptyDirectory();

    Files.delete(root());
    Files.createDirectory(root());
    Files.setPosixFilePermissions(root(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(write(UserLogFormat.PLAIN, WIDE, call("R1", out("x\n"))).dropped()).isEqualTo(1);
    assertThat(root()).isEmptyDirectory();

    Files.setPosixFilePermissions(root(), PosixFilePermissions.fromString("rwxr-x---"));
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(write(UserLogFormat.PLAIN, WIDE, call("R1", out("x\n"))).dropped()).isEqualTo(1);
    assertThat(root()).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../x", "brn:cloud:faas:bj:/../../x:function:f", "", "/etc/passwd"})
  void namesOfARegistryCannotLeaveTheDirectory(String name) throws Exception {
    ResolvedFunction function =
        ResolvedFunction.of(
            FakeRegistry.document("../f", name, Traits.of("echo").logged()), runtime());
    Transcript transcript = new Transcript(100);
    transcript.add(Source.STDOUT, ByteBuffer.wrap("x\n".getBytes(UTF_8)), TIME);

    write(UserLogFormat.PLAIN, WIDE, new FunctionOutput(function, "c0", transcript));

    try (Stream<Path> files = Files.walk(home)) {
      assertThat(files.filter(Files::isRegularFile))
          .singleElement()
          .satisfies(file -> assertThat(file.getParent()).hasParent(root()));
    }
  }

  @Test
  void outputThatCannotBeWrittenIsCounted() throws Exception {
    Files.createFile(root());

    assertThat(write(UserLogFormat.PLAIN, WIDE, call("R1", out("x"))).dropped()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void afterAnEntryThatCannotBeWrittenTheOthersAre(Throwable failure) {
    List<String> written = new CopyOnWriteArrayList<>();
    UserLog log =
        new UserLog(entry -> {
          if (entry.runtimeId().equals("c0")) {
            written.add(entry.runtimeId());
            return;
          }
          switch (failure) {
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError(failure);
          }
        });
    try (log) {
      LooseOutput loose = log.open(function(Account.DEFAULT, "f"), "fails");
      loose.add(Source.STDOUT, ByteBuffer.wrap("x\n".getBytes(UTF_8)), TIME);
      await(() -> log.dropped() == 1);
      loose.add(Source.STDOUT, ByteBuffer.wrap("y\n".getBytes(UTF_8)), TIME);
      loose.end();
      await(() -> log.dropped() == 2);
      log.offer(call("R1", out("x\n")));
      log.offer(call("R2", out("x\n")));
    }

    assertThat(written).containsExactly("c0", "c0");
    assertThat(log.dropped()).isEqualTo(2);
  }

  static Stream<Throwable> failures() {
    return Stream.of(
        new IOException("a full disk"),
        new IllegalStateException("the engine's own"),
        new NoClassDefFoundError("no descriptor was left to read it"));
  }

  @Test
  void whatBelongsToNoCallIsWrittenBeforeItsSandboxEnds() {
    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, WIDE)) {
      LooseOutput output = log.open(function(Account.DEFAULT, "f"), "c0");

      output.add(Source.STDOUT, ByteBuffer.wrap("one\n".getBytes(UTF_8)), TIME);

      await(() -> "2024-01-01T00:00:00.000Z\t-\tone\n".equals(text()));
    }
  }

  @Test
  void aLineThatBelongsToNoCallIsNotCutBecauseItComesInPieces() {
    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, WIDE)) {
      LooseOutput output = log.open(function(Account.DEFAULT, "f"), "c0");
      output.add(Source.STDOUT, ByteBuffer.wrap("one ".getBytes(UTF_8)), TIME);

      assertThat(output.take(TIME + 999)).isNull();
      output.add(Source.STDOUT, ByteBuffer.wrap("line".getBytes(UTF_8)), TIME);
      output.end();
      output.end();
    }

    assertThat(text()).isEqualTo("2024-01-01T00:00:00.000Z\t-\tone line\n");
  }

  @Test
  void whoPrintsWithoutEndTakesOneEntryAndIsToldWhatIsMissing() {
    try (UserLog log = new UserLog(root(), UserLogFormat.PLAIN, WIDE)) {
      LooseOutput output = log.open(function(Account.DEFAULT, "f"), "c0");
      for (int i = 0; i < 10_000; i++) {
        output.add(Source.STDOUT, ByteBuffer.wrap("x".repeat(99).getBytes(UTF_8)), TIME);
      }
      FunctionOutput taken = requireNonNull(output.takeAll());

      assertThat(taken.transcript().memoryBytes()).isLessThan(200_000);
      assertThat(taken.transcript().cutBytes()).isGreaterThan(900_000);
      assertThat(output.takeAll()).isNull();
    }
  }

  private String text() {
    try {
      return Files.exists(file("f")) ? Files.readString(file("f")) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("not in 20s").isLessThan(deadline);
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void moreThanTheLimitIsDroppedAndCounted() {
    try (UserLog log = new UserLog(root(), UserLogFormat.JSON, WIDE)) {
      Transcript large = new Transcript(70 << 20);
      large.add(Source.STDOUT, ByteBuffer.allocate(65 << 20), 0);

      boolean taken = log.offer(new FunctionOutput(function(Account.DEFAULT, "f"), "c0", large));

      assertThat(taken).isFalse();
      assertThat(log.dropped()).isEqualTo(1);
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Piece(Source source, byte[] text) {}

  private UserLog write(UserLogFormat format, UserLogLimits limits, UserLogEntry entry) {
    UserLog log = new UserLog(root(), format, limits);
    try (log) {
      assertThat(log.offer(entry)).isTrue();
    }
    return log;
  }

  private Path root() {
    return home.resolve("logs");
  }

  private Path file(String name) {
    return file(Account.DEFAULT, name);
  }

  private Path file(Account account, String name) {
    return root().resolve(brn(account, name)).resolve("output.log");
  }

  private static CallOutput call(String requestId, Piece... pieces) {
    return call(Account.DEFAULT, "f", requestId, pieces);
  }

  private static CallOutput call(Account account, String name, String requestId, Piece... pieces) {
    Transcript transcript = new Transcript(6 << 20);
    for (Piece piece : pieces) {
      transcript.add(piece.source(), ByteBuffer.wrap(piece.text()), TIME);
    }
    byte[] report = ("REPORT RequestID: " + requestId).getBytes(UTF_8);
    transcript.add(Source.FAAS, ByteBuffer.wrap(report), TIME);
    return new CallOutput(
        function(account, name), requestId, "c0", "generic", 17, false, 200, transcript);
  }

  private static Piece out(String text) {
    return new Piece(Source.STDOUT, text.getBytes(UTF_8));
  }

  private static Piece err(String text) {
    return new Piece(Source.STDERR, text.getBytes(UTF_8));
  }

  private static ResolvedFunction function(Account account, String name) {
    return ResolvedFunction.of(
        FakeRegistry.document(name, brn(account, name), Traits.of("echo").logged()), runtime());
  }

  private static RuntimeConfiguration runtime() {
    return new RuntimeConfiguration("n", "/b", "/p", List.of(), List.of());
  }

  private static String brn(Account account, String name) {
    return FunctionBrn.of(account, name, new Qualifier.Version("1")).toString();
  }

  private static UserLogLimits limits(int call, int file, int files, int total) {
    return new UserLogLimits(new ByteSize(call), new ByteSize(file), files, new ByteSize(total));
  }
}
