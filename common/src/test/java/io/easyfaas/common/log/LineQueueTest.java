package io.easyfaas.common.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class LineQueueTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final Pipe pipe = new Pipe();
  private final LineQueue queue = new LineQueue(pipe, 100);

  @Test
  void linesComeOutInTheirOrder() {
    pipe.mayTake.release(3);

    queue.add("one\n");
    queue.add("zwei ü\n");
    queue.add("three\n");
    queue.flush(LONG);

    assertThat(pipe.text()).isEqualTo("one\nzwei ü\nthree\n");
    assertThat(queue.dropped()).isZero();
  }

  @Test
  void nobodyWaitsForAFullPipeAndItIsToldWhatItMissed() throws InterruptedException {
    queue.add("first\n");
    pipe.isFull.acquire();

    for (int i = 0; i < 1000; i++) {
      queue.add("0123456789\n");
    }

    assertThat(queue.dropped()).isEqualTo(1000 - 9); // 99 of 100 bytes.
    pipe.mayTake.release(1000);
    queue.flush(LONG);
    assertThat(pipe.text())
        .isEqualTo("first\n" + "0123456789\n".repeat(9) + "991 log lines were dropped\n");
  }

  @Test
  void linesAreTakenAgainAfterThePipeHasBeenTold() throws InterruptedException {
    queue.add("first\n");
    pipe.isFull.acquire();
    queue.add("x".repeat(101));
    queue.add("also dropped: it would stand before what is told\n");
    pipe.mayTake.release(2);
    queue.flush(LONG);

    pipe.mayTake.release();
    queue.add("again\n");
    queue.flush(LONG);

    assertThat(pipe.text()).isEqualTo("first\n2 log lines were dropped\nagain\n");
  }

  @Test
  void theEndOfTheProcessDoesNotWaitForeverForAFullPipe() {
    queue.add("first\n");

    queue.flush(Duration.ofMillis(1));

    assertThat(pipe.text()).isEmpty();
    pipe.mayTake.release();
  }

  @Test
  void aPipeThatIsGoneHoldsUpNobody() {
    LineQueue broken =
        new LineQueue(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
              }
            },
            100);

    for (int i = 0; i < 10; i++) {
      broken.add("0123456789\n");
      broken.flush(LONG);
    }

    assertThat(broken.dropped()).isZero();
  }

  /// Takes a line when it may.
  private static final class Pipe extends OutputStream {
    final Semaphore mayTake = new Semaphore(0);
    final Semaphore isFull = new Semaphore(0);
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();

    @Override
    public void write(int b) {
      throw new UnsupportedOperationException("byte by byte");
    }

    @Override
    public void write(byte[] line) {
      isFull.release();
      mayTake.acquireUninterruptibly();
      synchronized (taken) {
        taken.writeBytes(line);
      }
    }

    String text() {
      synchronized (taken) {
        return taken.toString(UTF_8);
      }
    }
  }
}
