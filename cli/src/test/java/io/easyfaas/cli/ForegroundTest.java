package io.easyfaas.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// How what this process runs is started.
final class ForegroundTest {
  @Test
  void whateverFailsWhatWasStartedIsClosed() {
    for (Throwable failure :
        new Throwable[] {new NoClassDefFoundError("io/easyfaas/Gone"), new StartFailure()}) {
      AtomicBoolean closed = new AtomicBoolean();

      assertThatThrownBy(() ->
              Foreground.start(
                  "test",
                  parts -> {
                    AutoCloseable _ = parts.add(() -> closed.set(true));
                    return fail(failure);
                  }))
          .isSameAs(failure);

      assertThat(closed).isTrue();
    }
  }

  private static String fail(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (StartFailure) failure;
  }

  private static final class StartFailure extends RuntimeException {}
}
