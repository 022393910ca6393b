package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NamedOutputTest {
  private static final byte[] MARK = HexFormat.of().parseHex("ff00ff01ff02ff03");

  private static final byte[] ONLY_BEGINS = new byte[65_536];

  static {
    Arrays.fill(ONLY_BEGINS, (byte) 0xff);
  }

  private final NamedOutput output = new NamedOutput();
  private final Told told = new Told();

  @BeforeEach
  void mark() throws ProtocolException {
    output.mark(MARK);
  }

  @Test
  void recordsAndRawOutputAreToldApartHoweverTheyAreRead() {
    ByteBuf stream = Unpooled.buffer();
    stream.writeBytes("raw, ".getBytes(UTF_8));
    record(stream, 0, 7, "grüße");
    record(stream, 1, -2, "€€");
    stream.writeByte(0xff).writeBytes(MARK, 0, 7).writeByte(0x55); // Nearly a header.
    record(stream, 0, 0, "");
    stream.writeByte(0xff).writeByte(0xff).writeByte(0xff);
    record(stream, 0, 7, "x".repeat(65_520));
    stream.writeBytes("the end".getBytes(UTF_8)).writeByte(0xff);
    byte[] all = new byte[stream.readableBytes()];
    stream.readBytes(all);
    List<String> expected = read(all, all.length);
    assertThat(expected)
        .startsWith("raw 7261772c20", "7 grüße", "-2 stderr €€", "raw ffff00ff01ff02ff55ffffff")
        .endsWith("raw " + HexFormat.of().formatHex("the end".getBytes(UTF_8)) + "ff");

    for (int step = 1; step < 40; step++) {
      assertThat(read(all, step)).as("in pieces of %s", step).isEqualTo(expected);
    }
  }

  @Test
  void whatLooksLikeHeadersAllOverIsPassedOnInFewPieces() {
    int[] pieces = {0};
    NamedOutput.Sink counting =
        new NamedOutput.Sink() {
          @Override
          public void named(boolean stderr, int id, ByteBuf text) {
            throw new AssertionError("there is no record");
          }

          @Override
          public void raw(ByteBuf text) {
            pieces[0]++;
          }
        };

    for (int i = 0; i < 10; i++) {
      output.add(Unpooled.buffer(65_536).setIndex(0, 65_536).setBytes(0, ONLY_BEGINS), counting);
    }

    assertThat(pieces[0]).isLessThan(50);
  }

  @Test
  void theRecordsThatBeginAreCounted() {
    ByteBuf stream = Unpooled.buffer();
    record(stream, 0, 1, "a");
    record(stream, 0, 2, "b");
    int cut = stream.writerIndex() - 3;

    assertThat(output.add(stream.readSlice(cut), told)).isEqualTo(1);
    assertThat(output.add(stream, told)).isEqualTo(1);
  }

  @Test
  void noiseChangesNothing() {
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      byte[] noise = new byte[random.nextInt(40)];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = random.nextInt(3) == 0 ? (byte) 0xff : MARK[random.nextInt(MARK.length)];
      }
      String printed = String.join("", read(noise, 1 + random.nextInt(9)));

      assertThat(printed.replace("raw ", "")).isEqualTo(HexFormat.of().formatHex(noise));
    }
  }

  @Test
  void withoutMarkEverythingIsRaw() throws ProtocolException {
    output.mark(null);
    ByteBuf stream = Unpooled.buffer();
    record(stream, 0, 1, "a");

    assertThat(output.add(stream, told)).isZero();

    assertThat(told.all).singleElement().asString().startsWith("raw ");
  }

  @Test
  void whatIsNoMarkIsRefused() {
    assertThatThrownBy(() -> output.mark(new byte[7]))
        .isInstanceOf(ProtocolException.class)
        .hasMessage("a mark of 7 bytes");
  }

  /// What is told of bytes that come in pieces; pieces of raw output are put together.
  private List<String> read(byte[] bytes, int step) {
    told.all.clear();
    for (int at = 0; at < bytes.length; at += step) {
      output.add(Unpooled.copiedBuffer(bytes, at, Math.min(step, bytes.length - at)), told);
    }
    output.close(told);
    return List.copyOf(told.all);
  }

  private static void record(ByteBuf stream, int flags, int id, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    stream.writeByte(0xff).writeBytes(MARK).writeByte(flags).writeShort(bytes.length).writeInt(id);
    stream.writeBytes(bytes);
  }

  /// Says the same however texts were cut.
  private static final class Told implements NamedOutput.Sink {
    final List<String> all = new ArrayList<>();

    @Override
    public void named(boolean stderr, int id, ByteBuf text) {
      add(id + (stderr ? " stderr " : " "), text.toString(UTF_8));
    }

    @Override
    public void raw(ByteBuf text) {
      byte[] bytes = new byte[text.readableBytes()];
      text.readBytes(bytes);
      add("raw ", HexFormat.of().formatHex(bytes));
    }

    private void add(String whose, String text) {
      if (!all.isEmpty() && all.getLast().startsWith(whose)) {
        all.set(all.size() - 1, all.getLast() + text);
      } else {
        all.add(whose + text);
      }
    }
  }
}
