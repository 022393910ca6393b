package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class AnswerOutputTest {
  @Test
  void remembersThatSomethingWasNotWritten() {
    assertThat(lossOf("No space left on device")).isEqualTo("No space left on device");
  }

  @Test
  void aReaderThatHasEnoughIsNoLoss() {
    assertThat(lossOf("Broken pipe")).isNull();
  }

  @Test
  void passesOnWhatIsWritten() {
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    AnswerOutput output = new AnswerOutput(written);
    print(output);

    assertThat(written.toString(UTF_8)).isEqualTo("ü");
    assertThat(output.loss()).isNull();
  }

  private static @Nullable String lossOf(String reason) {
    AnswerOutput output =
        new AnswerOutput(
            new OutputStream() {
              @Override
              public void write(int one) throws IOException {
                throw new IOException(reason);
              }
            });
    print(output);
    return output.loss();
  }

  private static void print(AnswerOutput output) {
    PrintWriter writer = new PrintWriter(output, true, UTF_8);
    writer.print("ü");
    writer.flush();
  }
}
