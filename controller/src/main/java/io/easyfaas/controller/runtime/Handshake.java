package io.easyfaas.controller.runtime;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// What the start of a runner waits for: HELLO, and how loading ended. Thread-safe.
///
/// What comes after its wait was given up comes too late: the two sides agree which was first.
final class Handshake {
  private final String slot;
  private final CompletableFuture<Boolean> hello = new CompletableFuture<>();
  private final CompletableFuture<LoadOutcome> outcome = new CompletableFuture<>();

  /// @param slot names the sandbox in messages
  Handshake(String slot) {
    this.slot = slot;
  }

  /// HELLO has come.
  ///
  /// @return false when it comes too late
  boolean greeted() {
    return hello.complete(true);
  }

  /// Loading has ended.
  ///
  /// @return false when it comes too late
  boolean loaded(LoadOutcome how) {
    return outcome.complete(how);
  }

  /// Whoever waits, or will, is told why what has not come yet will never come.
  void fail(RunnerException why) {
    hello.completeExceptionally(why);
    outcome.completeExceptionally(why);
  }

  /// Waits for HELLO. Blocks at most `wait`.
  ///
  /// @throws RunnerException when it does not come in time
  void awaitHello(Duration wait) {
    await(hello, wait, "HELLO");
  }

  /// Waits for the end of loading. Blocks at most `wait`.
  ///
  /// @throws RunnerException when it does not come in time
  LoadOutcome awaitLoaded(Duration wait) {
    return await(outcome, wait, "READY");
  }

  private <T> T await(CompletableFuture<T> event, Duration wait, String frame) {
    try {
      return event.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      return giveUp(event, "no " + frame + " in " + wait.toMillis() + "ms");
    } catch (ExecutionException e) {
      throw RunnerException.of(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return giveUp(event, "interrupted while waiting for " + frame);
    }
  }

  /// Fails, unless it happened just now: then the loop has acted on it already.
  private <T> T giveUp(CompletableFuture<T> event, String why) {
    event.completeExceptionally(new RunnerException(slot + ": " + why));
    try {
      return event.join();
    } catch (CompletionException e) {
      throw RunnerException.of(e);
    }
  }
}
