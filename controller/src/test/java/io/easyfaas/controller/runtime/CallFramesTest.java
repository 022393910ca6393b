package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.HeaderBlock;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.runtime.WireFixtures.Fixture;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is said about calls, above all about answers that come in parts, see protocol.md §5.
class CallFramesTest {
  private static final int WINDOW = FrameType.FIRST_CREDIT_BYTES;
  private static final byte NONE = 0;
  private static final byte FAILED_LAST = FrameType.FLAG_FAILED | FrameType.FLAG_LAST;

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final FrameWriter writer = new FrameWriter(channel, new FlushQueue(channel.eventLoop()));
  private long now;
  private final CallsInFlight calls = new CallsInFlight(channel.eventLoop(), () -> now, () -> {});
  private final List<String> heard = new ArrayList<>();
  private final List<ByteBuf> kept = new ArrayList<>();
  private boolean refusesParts;
  private boolean keepsParts;
  private final ByteBudget bytes = new ByteBudget(4 * WINDOW);
  private final CallFrames frames =
      new CallFrames(writer, calls, () -> 0, bytes, () -> heard.add("ending"));

  @AfterEach
  void close() {
    calls.close();
    writer.close();
    channel.finishAndReleaseAll();
  }

  @Test
  void invokeIsWrittenAsInTheFixtures() {
    Fixture plain = WireFixtures.frame("invoke-without-request-id");
    Fixture rich = WireFixtures.frame("invoke-with-headers");
    Map<String, String> headers = rich.headers();
    HeaderBlock block = new HeaderBlock();
    for (HeaderBlock.Name name : HeaderBlock.Name.values()) {
      block.add(name, requireNonNull(headers.get(WireFixtures.memberOf(name))));
    }

    assertThat(
            invoked(plain, new Call(plain.requestId(), plain.eventUtf8(), HeaderBlock.NONE, false)))
        .isEqualTo(plain.hex());
    assertThat(invoked(rich, new Call(rich.requestId(), rich.eventUtf8(), block.encode(), false)))
        .isEqualTo(rich.hex());
    Fixture parts = WireFixtures.frame("invoke-for-parts");
    assertThat(
            invoked(parts, new Call(parts.requestId(), parts.eventUtf8(), HeaderBlock.NONE, true)))
        .isEqualTo(parts.hex());
  }

  @Test
  void aPartIsRefusedBeforeItIsCollected() throws Exception {
    invoke(true);
    chunk(NONE, "one");

    assertThat(frames.takesChunk(NONE, 1, WINDOW - 3)).isTrue();
    assertThatThrownBy(() -> frames.takesChunk(NONE, 1, WINDOW - 2))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("expected: at most " + (WINDOW - 3));
    assertThatThrownBy(() -> frames.takesChunk(NONE, 2, 70_000))
        .isInstanceOf(ProtocolException.class);
  }

  @Test
  void anAnswerInPartsIsHeardInOrder() throws Exception {
    Call call = invoke(true);

    chunk(FrameType.FLAG_HEAD, "{\"status\":200}");
    chunk(NONE, "one ");
    chunk(NONE, "two");
    result(FrameType.FLAG_LAST, "");

    assertThat(heard).containsExactly("began 200", "part one ", "part two", "answered ");
    assertThat(calls.idOf(call)).isZero();
  }

  @Test
  void anAnswerInPartsNeedsNoHeadAndAHeadNoParts() throws Exception {
    invoke(true);
    chunk(NONE, "one");
    result(FrameType.FLAG_LAST, "");
    invoke(true);
    frames.onChunk(FrameType.FLAG_HEAD, 2, text("{}"));
    frames.onResult(FrameType.FLAG_LAST, 2, text(""));

    assertThat(heard).containsExactly("began 0", "part one", "answered ", "began 0", "answered ");
  }

  @Test
  void anAnswerThatBreaksOffEndsWithTheError() throws Exception {
    invoke(true);

    chunk(NONE, "one");
    result((byte) (FAILED_LAST | FrameType.FLAG_ENDING), "{\"errorMessage\":\"boom\"}");

    assertThat(heard)
        .containsExactly("began 0", "part one", "ending", "failed {\"errorMessage\":\"boom\"}");
  }

  @Test
  void aCallThatTakesPartsMayStillBeAnsweredWhole() throws Exception {
    invoke(true);

    result(NONE, "whole");

    assertThat(heard).containsExactly("answered whole");
  }

  @Test
  void anAnswerWhosePartsTheEngineCannotTakeFailsWhenItEnds() throws Exception {
    Call call = invoke(true);
    sent();
    refusesParts = true;

    chunk(NONE, "y");
    assertThat(sent())
        .isEqualTo(
            "0000000809000000" + "00000001" + "0000000c" + "0c000000" + "00000001" + "00000001");
    chunk(NONE, "z".repeat(WINDOW));
    chunk(NONE, "dropped, too");
    assertThat(calls.idOf(call)).as("the runner is busy with it").isPositive();
    result(FrameType.FLAG_LAST, "");

    assertThat(heard).containsExactly("began 0", "failed in the engine: direct memory");
  }

  @Test
  void smallPartsThatNobodyTakesAreGatheredAndCounted() throws Exception {
    Call call = invoke(true);
    chunk(NONE, "first");

    for (int i = 0; i < 3000; i++) {
      chunk(NONE, "y");
    }
    assertThat(heard).containsExactly("began 0", "part first");
    assertThat(bytes.usage().reserved()).isEqualTo(WINDOW);
    frames.taken(call, 5);

    assertThat(heard).endsWith("part " + "y".repeat(3000));
    assertThat(bytes.usage().reserved()).as("the call has them now").isZero();
    frames.taken(call, 3000);
    chunk(NONE, "last");
    assertThat(heard).endsWith("part last");
  }

  @Test
  void aSmallPartKeepsNothingOfWhatItWasReadInto() throws Exception {
    invoke(true);
    keepsParts = true;
    ByteBuf read = Unpooled.buffer(64 * 1024).writeBytes(text("one"));

    frames.onChunk(NONE, 1, read);

    assertThat(read.refCnt()).isEqualTo(1);
    assertThat(kept).hasSize(1).first().extracting(ByteBuf::capacity).isEqualTo(3);
    read.release();
    kept.forEach(ByteBuf::release);
  }

  @Test
  void aLargePartIsCountedUntilItIsReleased() throws Exception {
    invoke(true);
    keepsParts = true;

    chunk(NONE, "x".repeat(20_000));

    assertThat(bytes.usage().reserved()).isEqualTo(20_000);
    kept.forEach(ByteBuf::release);
    assertThat(bytes.usage().reserved()).isZero();
  }

  @Test
  void partsThatWaitComeBeforeTheEnd() throws Exception {
    invoke(true);
    chunk(NONE, "one");
    chunk(NONE, " two");
    chunk(NONE, " three");

    result(FrameType.FLAG_LAST, "");

    assertThat(heard).containsExactly("began 0", "part one", "part  two three", "answered ");
  }

  @Test
  void withoutRoomForWhatWaitsTheAnswerBreaksOff() throws Exception {
    Call call = invoke(true);
    chunk(NONE, "one");
    Reservation others = bytes.open(ByteKind.ANSWER, "others");
    others.add(4 * WINDOW);
    sent();

    chunk(NONE, "two");
    assertThat(sent()).startsWith("0000000809000000" + "00000001"); // CANCEL
    frames.taken(call, 3);
    result(FrameType.FLAG_LAST, "");

    assertThat(heard).hasSize(3).last().asString().contains("memory for requests and answers");
    others.close();
  }

  @Test
  void whatWaitsIsGivenUpWithItsCall() throws Exception {
    invoke(true);
    chunk(NONE, "one");
    chunk(NONE, "two");

    calls.close();

    assertThat(bytes.usage().reserved()).isZero();
  }

  @Test
  void aCallThereIsNoMemoryForLeavesNothingBetweenTheFrames() {
    ScarceMemory memory = new ScarceMemory();
    channel.config().setAllocator(memory);
    writer.begin(FrameType.PING, 0, 0);
    memory.isOut = true;

    frames.invoke(new Call("r", "{}".repeat(3000), new byte[0], false)); // The batch cannot grow.
    memory.isOut = false;
    writer.begin(FrameType.PING, 0, 0);

    assertThat(heard).containsExactly("failed in the engine: direct memory");
    assertThat(sent()).isEqualTo("000000080a00000000000000".repeat(2));
    assertThat(calls.size()).isZero();
  }

  @Test
  void aBatchThatWasHandedOnIsNotSentAgain() {
    ScarceMemory memory = new ScarceMemory();
    channel.config().setAllocator(memory);
    writer.begin(FrameType.LOAD, 0, 70_000).writeZero(70_000);
    memory.isOut = true;

    assertThatThrownBy(() -> writer.begin(FrameType.PING, 0, 0))
        .isInstanceOf(OutOfMemoryError.class);
    memory.isOut = false;

    assertThat(sent()).hasSize(2 * (FrameType.HEADER_BYTES + 70_000));
  }

  @Test
  void noMoreComesThanTheRunnerHasCreditFor() throws Exception {
    invoke(true);
    chunk(NONE, "x".repeat(WINDOW));

    assertThatThrownBy(() -> chunk(NONE, "y"))
        .isInstanceOf(ProtocolException.class)
        .hasMessage("CHUNK of 1 bytes (expected: at most 0)");
  }

  @Test
  void whatIsTakenIsGivenBackInPiecesThatAreWorthAFrame() throws Exception {
    Call call = invoke(true);
    sent();
    chunk(NONE, "x".repeat(WINDOW));

    frames.taken(call, WINDOW / 4 - 1);
    assertThat(sent()).isEmpty();
    frames.taken(call, 1);
    assertThat(sent())
        .isEqualTo(WireFixtures.frame("credit").hex().replace("00000004", "00000001"));

    chunk(NONE, "y".repeat(WINDOW / 4));
    assertThatThrownBy(() -> chunk(NONE, "z")).isInstanceOf(ProtocolException.class);
  }

  @Test
  void aRunnerThatIsServedMaySendForEver() throws Exception {
    Call call = invoke(true);

    for (int i = 0; i < 1000; i++) {
      chunk(NONE, "x".repeat(10_000));
      frames.taken(call, 10_000);
    }
    result(FrameType.FLAG_LAST, "");

    assertThat(heard).endsWith("answered ");
  }

  @Test
  void takingWhatNeverCameIsABug() throws Exception {
    Call call = invoke(true);
    chunk(NONE, "one");

    assertThatThrownBy(() -> frames.taken(call, 4)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void takingAfterTheEndDoesNothing() throws Exception {
    Call call = invoke(true);
    chunk(NONE, "x".repeat(WINDOW));
    result(FrameType.FLAG_LAST, "");
    sent();

    frames.taken(call, WINDOW);

    assertThat(sent()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "a call that takes whole answers only, false, 7:0:1:one",
    "an empty part, true, 7:0:1:",
    "a second head, true, 7:1:1:{} 7:1:1:{}",
    "a head that is not JSON, true, 7:1:1:text/html",
    "a head in no encoding, true, 7:1:1:\u0000{\u0000\u0000}",
    "a head that is no object, true, 7:1:1:[]",
    "a head that is null, true, 7:1:1:null",
    "a head of nothing, true, 7:1:1:",
    "a head with another type of member, true, 7:1:1:{\"status\":[]}",
    "a head with a header that is null, true, 7:1:1:{\"headers\":{\"a\":null}}",
    "a head after a part, true, 7:0:1:one 7:1:1:{}",
    "a part of a call that never was, true, 7:0:2:one",
    "a part of no call, true, 7:0:0:one",
    "a part after the end, true, 7:0:1:one 6:4:1: 7:0:1:two",
    "a part after a whole answer, true, 6:0:1:whole 7:0:1:one",
    "an end without parts, true, 6:4:1:",
    "a whole answer after parts, true, 7:0:1:one 6:0:1:whole",
    "a failure after parts that is not their end, true, 7:0:1:one 6:1:1:{}",
    "an end that says something, true, 7:0:1:one 6:4:1:two",
    "a second answer, true, 6:0:1:one 6:0:1:two",
  })
  void whatDoesNotFitIsAProtocolError(String name, boolean takesParts, String sent) {
    invoke(takesParts);
    String[] each = sent.split(" ");

    for (int i = 0; i < each.length - 1; i++) {
      assertThat(refused(each[i])).as("%s: %s", name, each[i]).isFalse();
    }

    assertThat(refused(each[each.length - 1])).as(name).isTrue();
    assertThat(heard).as(name).doesNotContain("answered two");
  }

  @Test
  void aHeadHasABound() throws Exception {
    invoke(true);
    String most = "{}" + " ".repeat(FrameType.MAX_HEAD_BYTES - 2);

    assertThatThrownBy(() -> chunk(FrameType.FLAG_HEAD, most + " "))
        .isInstanceOf(ProtocolException.class);
    chunk(FrameType.FLAG_HEAD, most);
  }

  @Test
  void whatComesForACallWhoseTimeIsOverIsIgnored() throws Exception {
    calls.timeout(Duration.ofSeconds(1).toNanos());
    invoke(true);
    chunk(NONE, "one");
    now += Duration.ofSeconds(2).toNanos();
    assertThat(calls.takeExpired()).hasSize(1);

    chunk(NONE, "two");
    result(FrameType.FLAG_LAST, "");

    assertThat(heard).containsExactly("began 0", "part one");
  }

  private Call invoke(boolean takesParts) {
    Call call = new Call("r", "{}", HeaderBlock.NONE, takesParts);
    frames.invoke(call);
    return call;
  }

  /// The INVOKE frame of a call, as hex; ids begin at 1 and the deadline is an input of the clock.
  private String invoked(Fixture fixture, Call call) {
    CallsInFlight own = new CallsInFlight(channel.eventLoop(), () -> now, () -> {});
    new CallFrames(writer, own, fixture::deadlineMillis, bytes, () -> {}).invoke(call);
    own.close();
    String sent = sent();
    return sent.substring(0, 16) + String.format("%08x", fixture.id()) + sent.substring(24);
  }

  private void chunk(byte flags, String payload) throws ProtocolException {
    frames.onChunk(flags, 1, text(payload));
  }

  private void result(byte flags, String payload) throws ProtocolException {
    frames.onResult(flags, 1, text(payload));
  }

  /// Has a frame come, written as type:flags:id:payload.
  private boolean refused(String frame) {
    String[] fields = frame.split(":", 4);
    byte flags = Byte.parseByte(fields[1]);
    int id = Integer.parseInt(fields[2]);
    try {
      if (fields[0].equals("7")) {
        frames.onChunk(flags, id, text(fields[3]));
      } else {
        frames.onResult(flags, id, text(fields[3]));
      }
      return false;
    } catch (ProtocolException _) {
      return true;
    }
  }

  /// What was sent since the last look, as hex.
  private String sent() {
    writer.flush();
    channel.runPendingTasks();
    StringBuilder hex = new StringBuilder();
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      hex.append(ByteBufUtil.hexDump(out));
      out.release();
    }
    return hex.toString();
  }

  private static ByteBuf text(String text) {
    return Unpooled.copiedBuffer(text, UTF_8);
  }

  private final class Call implements RunnerCall {
    private final String requestId;
    private final String event;
    private final byte[] headers;
    private final boolean takesParts;

    Call(String requestId, String event, byte[] headers, boolean takesParts) {
      this.requestId = requestId;
      this.event = event;
      this.headers = headers;
      this.takesParts = takesParts;
    }

    @Override
    public byte[] requestId() {
      return requestId.getBytes(US_ASCII);
    }

    @Override
    public ByteBuf takeEvent() {
      return text(event);
    }

    @Override
    public byte[] headers() {
      return headers;
    }

    @Override
    public boolean takesParts() {
      return takesParts;
    }

    @Override
    public void began(AnswerHead head) {
      heard.add("began " + head.status());
    }

    @Override
    public void part(ByteBuf bytes) {
      if (refusesParts) {
        throw new OutOfMemoryError("direct memory");
      }
      heard.add("part " + bytes.toString(UTF_8));
      if (keepsParts) {
        kept.add(bytes.retain());
      }
    }

    @Override
    public void logged(boolean stderr, ByteBuf text) {
      heard.add("logged " + text.toString(UTF_8));
    }

    @Override
    public void answered(boolean failed, ByteBuf payload) {
      heard.add((failed ? "failed " : "answered ") + payload.toString(UTF_8));
    }

    @Override
    public void failed(Throwable cause) {
      heard.add("failed in the engine: " + cause.getMessage());
    }

    @Override
    public boolean isAbandoned() {
      return false;
    }

    @Override
    public void timedOut() {
      heard.add("timed out");
    }

    @Override
    public void lost(Optional<RunnerExit> exit) {
      heard.add("lost");
    }
  }
}
