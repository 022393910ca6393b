package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TextScanTest {
  @Test
  void tellsUtf8AsNettyDoesWhateverTheBytes() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] interesting = {
      'a',
      0x7f,
      (byte) 0x80,
      (byte) 0x8f,
      (byte) 0x90,
      (byte) 0x9f,
      (byte) 0xa0,
      (byte) 0xbf,
      (byte) 0xc0,
      (byte) 0xc1,
      (byte) 0xc2,
      (byte) 0xdf,
      (byte) 0xe0,
      (byte) 0xe1,
      (byte) 0xed,
      (byte) 0xef,
      (byte) 0xf0,
      (byte) 0xf1,
      (byte) 0xf4,
      (byte) 0xf5,
      (byte) 0xff
    };
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = new byte[random.nextInt(6)];
      for (int at = 0; at < bytes.length; at++) {
        bytes[at] = interesting[random.nextInt(interesting.length)];
      }
      ByteBuf buffer = Unpooled.wrappedBuffer(bytes);

      assertThat(TextScan.of(buffer).isText())
          .as("seed %d: %s", seed, ByteBufUtil.hexDump(buffer))
          .isEqualTo(ByteBufUtil.isText(buffer, UTF_8));
    }
  }

  @Test
  void countsWhatEscapingAdds() {
    StringBuilder text = new StringBuilder();
    for (char c = 0; c < 0x300; c++) {
      text.append(c);
    }
    byte[] bytes = text.toString().getBytes(UTF_8);
    int quotes = 2;

    assertThat(bytes.length + TextScan.of(Unpooled.wrappedBuffer(bytes)).escapes() + quotes)
        .isEqualTo(Json.CAMEL.writeText(text.toString()).getBytes(UTF_8).length);
  }

  @Test
  void charactersMayBeCutAnywhere() {
    byte[] bytes = "a€😀é\n".repeat(5000).getBytes(UTF_8);
    CompositeByteBuf parts = Unpooled.compositeBuffer(Integer.MAX_VALUE);
    for (int at = 0; at < bytes.length; at += 7) {
      parts.addComponent(true, Unpooled.wrappedBuffer(bytes, at, Math.min(7, bytes.length - at)));
    }

    assertThat(TextScan.of(parts).isText()).isTrue();
    assertThat(TextScan.of(parts).escapes()).isEqualTo(5000);
    assertThat(TextScan.of(parts.slice(0, bytes.length - 2)).isText()).isFalse();
    parts.release();
  }
}
