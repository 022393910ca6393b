package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8JoinTest {
  private final Utf8Join join = new Utf8Join();
  private final List<byte[]> out = new ArrayList<>();

  @Test
  void charactersComeOutWholeHoweverTheyAreCut() throws CharacterCodingException {
    byte[] text = "aé€😀, und so weiter 中文".getBytes(UTF_8);
    Random random = new Random(7);
    for (int round = 0; round < 500; round++) {
      out.clear();
      for (int from = 0; from < text.length; ) {
        int size = Math.min(text.length - from, 1 + random.nextInt(5));
        join.add(Unpooled.copiedBuffer(text, from, size), this::take);
        from += size;
      }
      join.flush(this::take);

      for (byte[] piece : out) {
        var decoder = UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
        assertThat(decoder.decode(ByteBuffer.wrap(piece)).toString()).isNotEmpty();
      }
      assertThat(all()).isEqualTo(text);
    }
  }

  @Test
  void bytesThatAreNoUtf8PassAsTheyAre() {
    Random random = new Random(11);
    byte[] noise = new byte[20_000];
    random.nextBytes(noise);
    for (int from = 0; from < noise.length; ) {
      int size = Math.min(noise.length - from, 1 + random.nextInt(7));
      join.add(Unpooled.copiedBuffer(noise, from, size), this::take);
      from += size;
    }
    join.flush(this::take);

    assertThat(all()).isEqualTo(noise);
  }

  @Test
  void aCharacterWhoseRestNeverComesIsNotKeptForEver() {
    join.add(Unpooled.wrappedBuffer(new byte[] {(byte) 0xe2, (byte) 0x82}), this::take);
    assertThat(out).isEmpty();

    join.add(Unpooled.copiedBuffer("x", UTF_8), this::take);

    assertThat(all()).isEqualTo(new byte[] {(byte) 0xe2, (byte) 0x82, 'x'});
  }

  private void take(ByteBuf text) {
    byte[] bytes = new byte[text.readableBytes()];
    text.getBytes(text.readerIndex(), bytes);
    out.add(bytes);
  }

  private byte[] all() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    out.forEach(all::writeBytes);
    return all.toByteArray();
  }
}
