package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteTailTest {
  @Test
  void keepsTheLastBytesHoweverTheyCame() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      ByteTail tail = new ByteTail(10);
      StringBuilder all = new StringBuilder();
      for (int i = 0; i < random.nextInt(8); i++) {
        String piece = "abcdefghijklmnopqrstuvwxyz".substring(random.nextInt(27));
        all.append(piece);
        tail.add(Unpooled.copiedBuffer(piece, UTF_8));
      }

      assertThat(tail.text())
          .as("seed %d", seed)
          .isEqualTo(all.substring(Math.max(0, all.length() - 10)));
      assertThat(tail.leftOut()).as("seed %d", seed).isEqualTo(Math.max(0, all.length() - 10));
    }
  }

  @Test
  void characterThatIsCutIsLeftOut() {
    ByteTail tail = new ByteTail(5);

    tail.add(Unpooled.copiedBuffer("ab€cd", UTF_8)); // € takes three bytes.
    assertThat(tail.text()).isEqualTo("€cd");
    tail.add(Unpooled.copiedBuffer("e", UTF_8));

    assertThat(tail.text()).isEqualTo("cde");
    assertThat(tail.leftOut()).isEqualTo(5);
  }

  @Test
  void addingDoesNotMoveTheBuffer() {
    var text = Unpooled.copiedBuffer("hello", UTF_8);

    new ByteTail(3).add(text);

    assertThat(text.readableBytes()).isEqualTo(5);
  }
}
