package io.easyfaas.controller.userlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.userlog.Transcript.Source;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TranscriptTest {
  @Test
  void keepsOrderSourceAndTime() throws IOException {
    Transcript transcript = new Transcript(1000);
    transcript.add(Source.FAAS, bytes("START\n"), 1);
    transcript.add(Source.STDOUT, bytes("a"), 2);
    transcript.add(Source.STDERR, bytes("e"), 2);
    transcript.add(Source.STDOUT, bytes("b"), 3);
    transcript.add(Source.STDOUT, bytes("c"), 3);

    assertThat(runs(transcript))
        .containsExactly("FAAS@1:START\n", "STDOUT@2:a", "STDERR@2:e", "STDOUT@3:bc");
    assertThat(transcript.lastMillis()).isEqualTo(3);
    assertThat(transcript.cutBytes()).isZero();
  }

  @Test
  void threeMillionPiecesOfTwoBytesTakeNoMoreThanTheLimit() {
    Transcript transcript = new Transcript(1 << 20);
    ByteBuffer piece = bytes("a\n");
    for (int i = 0; i < 3_000_000; i++) {
      transcript.add(i % 2 == 0 ? Source.STDOUT : Source.STDERR, piece, i / 1000);
    }

    assertThat(transcript.memoryBytes()).isLessThanOrEqualTo((2 << 20) + 1024);
    assertThat(transcript.cutBytes()).isPositive();
  }

  @Test
  void smallPiecesOfOneMillisecondCostTheirBytesOnly() throws IOException {
    Transcript transcript = new Transcript(1000);
    for (int i = 0; i < 900; i++) {
      transcript.add(Source.STDOUT, bytes("x"), 7);
    }

    assertThat(runs(transcript)).containsExactly("STDOUT@7:" + "x".repeat(900));
  }

  @Test
  void whatIsCutIsCountedAndTheEnginesLinesAreKept() throws IOException {
    Transcript transcript = new Transcript(26);
    transcript.add(Source.STDOUT, bytes("0123456789abcdef"), 1);
    transcript.add(Source.STDOUT, bytes("x"), 1);
    transcript.add(Source.FAAS, bytes("END of the call\n"), 1);

    assertThat(runs(transcript)).containsExactly("STDOUT@1:0123456789", "FAAS@1:END of the call\n");
    assertThat(transcript.cutBytes()).isEqualTo(7);
  }

  @Test
  void noCharacterIsCutInTwo() throws IOException {
    for (int room = 0; room <= 9; room++) {
      Transcript transcript = new Transcript(16 + room);
      transcript.add(Source.STDOUT, bytes("€€€"), 1);

      assertThat(runs(transcript))
          .as("%d bytes", room)
          .isEqualTo(room < 3 ? List.of() : List.of("STDOUT@1:" + "€".repeat(room / 3)));
      assertThat(transcript.cutBytes()).isEqualTo(9 - room / 3 * 3);
    }
  }

  private static List<String> runs(Transcript transcript) throws IOException {
    List<String> runs = new ArrayList<>();
    transcript.read((source, millis, bytes, from, to) ->
        runs.add(source + "@" + millis + ":" + new String(bytes, from, to - from, UTF_8)));
    return runs;
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }
}
