package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.FrameType;
import io.easyfaas.controller.runtime.WireFixtures.Fixture;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameReaderTest {
  private final FrameReader reader =
      new FrameReader(UnpooledByteBufAllocator.DEFAULT, (_, _, _, length) -> memory(length));
  private boolean hasMemory = true;
  private final List<String> frames = new ArrayList<>();
  private final FrameReader.Sink sink =
      (type, flags, id, payload) ->
          frames.add(type + " " + flags + " " + id + " " + payload.toString(UTF_8));

  @AfterEach
  void close() {
    reader.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 11, 12, 13, 100, 100_000})
  void framesAreFoundHoweverTheStreamIsCut(int chunk) throws Exception {
    String large = "x".repeat(70_000);
    ByteBuf stream = Unpooled.buffer();
    write(stream, FrameType.RESULT, 1, 7, "hello");
    write(stream, FrameType.LOG, 0, -1, "");
    write(stream, FrameType.RESULT, 0, 8, large);
    write(stream, FrameType.PONG, 0, 0, "");

    while (stream.isReadable()) {
      reader.read(stream.readSlice(Math.min(chunk, stream.readableBytes())), sink);
    }

    assertThat(frames).containsExactly("6 1 7 hello", "8 0 -1 ", "6 0 8 " + large, "11 0 0 ");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64, 1_000_000})
  void fixturesAreFoundHoweverTheyAreCut(int chunk) throws Exception {
    List<Fixture> fixtures = WireFixtures.all();
    ByteBuf stream = Unpooled.buffer();
    fixtures.forEach(each -> stream.writeBytes(ByteBufUtil.decodeHexDump(each.hex())));
    List<String> found = new ArrayList<>();
    FrameReader.Sink finding =
        (type, flags, id, payload) ->
            found.add(
                type
                    + " "
                    + flags
                    + " "
                    + (id & 0xffff_ffffL)
                    + " "
                    + ByteBufUtil.hexDump(payload));

    while (stream.isReadable()) {
      reader.read(stream.readSlice(Math.min(chunk, stream.readableBytes())), finding);
    }

    assertThat(found)
        .containsExactlyElementsOf(
            fixtures.stream()
                .map(each ->
                    each.type()
                        + " "
                        + each.flags()
                        + " "
                        + each.id()
                        + " "
                        + each.hex().substring(24))
                .toList());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 7, 8 + FrameType.MAX_PAYLOAD_BYTES + 1, 0xffff_ffffL})
  void lengthOutOfRangeIsRefused(long length) {
    ByteBuf stream = Unpooled.buffer().writeInt((int) length).writeLong(0);

    assertThatThrownBy(() -> reader.read(stream, sink))
        .isInstanceOf(ProtocolException.class)
        .hasMessage("frame length: " + length + " (expected: 8 to 6815752)");
  }

  @Test
  void announcedLengthAloneTakesNoMemory() throws Exception {
    ByteBuf stream =
        Unpooled.buffer().writeInt(8 + FrameType.MAX_PAYLOAD_BYTES).writeLong(0).writeByte(1);
    long before = UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();

    reader.read(stream, sink);

    assertThat(UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory() - before)
        .isLessThanOrEqualTo(64 * 1024);
  }

  @Test
  void largestFrameIsRead() throws Exception {
    ByteBuf stream = Unpooled.buffer().writeInt(8 + FrameType.MAX_PAYLOAD_BYTES).writeLong(0);
    List<Integer> sizes = new ArrayList<>();
    FrameReader.Sink counting = (_, _, _, payload) -> sizes.add(payload.readableBytes());

    reader.read(stream, counting);
    reader.read(Unpooled.wrappedBuffer(new byte[FrameType.MAX_PAYLOAD_BYTES]), counting);

    assertThat(sizes).containsExactly(FrameType.MAX_PAYLOAD_BYTES);
  }

  @Test
  void aFrameThatThereIsNoMemoryForIsAskedForAgain() throws Exception {
    String large = "x".repeat(70_000);
    ByteBuf stream = Unpooled.buffer();
    write(stream, FrameType.RESULT, 0, 1, "small");
    write(stream, FrameType.RESULT, 0, 2, large);
    ByteBuf rest = stream.readSlice(68_000);
    hasMemory = false;

    reader.read(rest, sink);
    reader.read(rest, sink);
    assertThat(frames).containsExactly("6 0 1 small");
    assertThat(rest.isReadable()).as("what was not taken").isTrue();

    hasMemory = true;
    reader.read(rest, sink);
    reader.read(stream, sink);
    assertThat(frames).containsExactly("6 0 1 small", "6 0 2 " + large);
  }

  @Test
  void aFrameThatIsSkippedIsDroppedAndTheNextIsRead() throws Exception {
    ByteBuf stream = Unpooled.buffer();
    write(stream, FrameType.RESULT, 0, 1, "x".repeat(200_000));
    write(stream, FrameType.RESULT, 0, 2, "next");
    hasMemory = false;

    ByteBuf first = stream.readSlice(100_000);
    reader.read(first, sink);
    reader.skip();
    assertThat(reader.isBetweenFrames()).isFalse();
    hasMemory = true;
    reader.read(first, sink);
    reader.read(stream, sink);

    assertThat(frames).containsExactly("6 0 2 next");
    assertThat(reader.isBetweenFrames()).isTrue();
  }

  @Test
  void nothingIsTakenOrKeptOnceItIsClosedFromWithin() throws Exception {
    ByteBuf stream = Unpooled.buffer();
    write(stream, FrameType.RESULT, 0, 1, "last");
    write(stream, FrameType.RESULT, 0, 2, "too late");
    stream.writeInt(8 + 50_000).writeLong(0).writeByte(1);
    long before = UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();

    reader.read(
        stream,
        (type, flags, id, payload) -> {
          reader.close();
          return sink.frame(type, flags, id, payload);
        });
    reader.read(Unpooled.buffer().writeInt(8 + 50_000).writeLong(0).writeByte(1), sink);

    assertThat(frames).containsExactly("6 0 1 last");
    assertThat(UnpooledByteBufAllocator.DEFAULT.metric().usedDirectMemory()).isEqualTo(before);
  }

  private @Nullable ByteBuf memory(int length) {
    return hasMemory ? UnpooledByteBufAllocator.DEFAULT.directBuffer(length, length) : null;
  }

  private static void write(ByteBuf stream, byte type, int flags, int id, String payload) {
    byte[] bytes = payload.getBytes(UTF_8);
    stream
        .writeInt(FrameType.COUNTED_HEADER_BYTES + bytes.length)
        .writeByte(type)
        .writeByte(flags)
        .writeShort(0)
        .writeInt(id)
        .writeBytes(bytes);
  }
}
