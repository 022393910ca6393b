package io.easyfaas.common.http;

import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/// The turns of a server's blocking requests: so many make their answers at once, and so many
/// answers wait for memory. Each waits on its own virtual thread, which costs no other thread; a
/// connection has one request at a time. Thread-safe.
final class Turns {
  // As large as an answer may be, it lies on the heap meanwhile.
  private static final int WAITING_ANSWERS = 16;

  private final Semaphore work;
  private final Semaphore answers = new Semaphore(WAITING_ANSWERS);

  /// @param atOnce requests that make their answers, at least 1
  Turns(int atOnce) {
    work = new Semaphore(atOnce, true);
  }

  /// Makes an answer when its turn has come. Blocks until then; every turn before ends in its time.
  ///
  /// @throws InterruptedException when the server ends before
  HttpResponse make(Supplier<HttpResponse> answer) throws InterruptedException {
    work.acquire();
    try {
      return answer.get();
    } finally {
      work.release();
    }
  }

  /// Whether one more answer may wait for memory; {@link #answerWaited} ends that.
  boolean mayAnswerWait() {
    return answers.tryAcquire();
  }

  void answerWaited() {
    answers.release();
  }
}
