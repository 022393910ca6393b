package io.easyfaas.controller.runtime;

import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.json.JsonReader;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.RunnerHello;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
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
  private static final int MAX_HELLO_BYTES = 1024;

  private final String slot;
  private final CompletableFuture<Boolean> hello = new CompletableFuture<>();
  private final CompletableFuture<LoadOutcome> outcome = new CompletableFuture<>();

  /// @param slot names the sandbox in messages
  Handshake(String slot) {
    this.slot = slot;
  }

  /// Reads a runner's HELLO.
  ///
  /// @param hello its payload
  /// @throws ProtocolException when the runner does not speak our protocol
  static RunnerHello read(ByteBuf hello) throws ProtocolException {
    if (hello.readableBytes() > MAX_HELLO_BYTES) {
      throw new ProtocolException("HELLO of " + hello.readableBytes() + " bytes");
    }
    RunnerHello read = members(hello);
    if (read.protocol() != FrameType.PROTOCOL) {
      throw new ProtocolException(
          "runner speaks protocol " + read.protocol() + " (expected: " + FrameType.PROTOCOL + ")");
    }
    return read;
  }

  /// Member by member, because this is in the way of an engine's first call: to bind the record
  /// would take longer than all of the engine's other work for it.
  private static RunnerHello members(ByteBuf hello) throws ProtocolException {
    int protocol = 0;
    String outputMark = null;
    try (JsonReader json = new JsonReader(new ByteBufInputStream(hello))) {
      if (json.next() != JsonReader.Kind.OBJECT) {
        throw new ProtocolException("HELLO: no JSON object");
      }
      for (var name = json.nextName(); name.isPresent(); name = json.nextName()) {
        JsonReader.Kind kind = json.next();
        switch (name.get()) {
          case "protocol" -> protocol = kind == JsonReader.Kind.INTEGER ? version(json.text()) : 0;
          case "outputMark" -> outputMark = kind == JsonReader.Kind.TEXT ? json.text() : null;
          default -> json.skip();
        }
      }
      json.end();
      return new RunnerHello(protocol, outputMark);
    } catch (JsonException e) {
      throw new ProtocolException("HELLO: " + e.getMessage());
    }
  }

  private static int version(String text) {
    return text.length() < 9 ? Integer.parseInt(text) : 0;
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
    RunnerException late = failure("no HELLO in " + wait.toMillis() + "ms");
    await(hello, wait, () -> hello.completeExceptionally(late));
  }

  /// Waits for the end of loading. Blocks at most `wait`; that it did not come in time is an
  /// outcome too.
  ///
  /// @throws RunnerException when the runner is lost
  LoadOutcome awaitLoaded(Duration wait) {
    return await(outcome, wait, () -> outcome.complete(new LoadOutcome.TimedOut()));
  }

  /// @param giveUp settles the event, unless it happened just now: then the loop has acted on it
  ///   already
  private <T> T await(CompletableFuture<T> event, Duration wait, Runnable giveUp) {
    try {
      return event.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      giveUp.run();
    } catch (ExecutionException e) {
      throw RunnerException.of(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      event.completeExceptionally(failure("interrupted while waiting for the runner"));
    }
    try {
      return event.join();
    } catch (CompletionException e) {
      throw RunnerException.of(e);
    }
  }

  private RunnerException failure(String why) {
    return new RunnerException(slot + ": " + why);
  }
}
