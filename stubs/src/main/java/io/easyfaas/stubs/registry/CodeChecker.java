package io.easyfaas.stubs.registry;

import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Checks packages, one after the other, on a thread of the system's. To unpack a package keeps a
/// processor busy for seconds, and virtual threads that do so keep all others from running.
/// Thread-safe.
///
/// How many wait is for the caller to bound, see {@link UploadRoom}.
final class CodeChecker {
  private static final int IDLE_SECONDS = 10;

  private final Consumer<Path> check;
  private final ExecutorService thread;

  CodeChecker() {
    this(CodePackage::check);
  }

  /// @param check throws what is wrong with a package
  CodeChecker(Consumer<Path> check) {
    this.check = check;
    ThreadPoolExecutor one =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().name("code-check").daemon().factory());
    one.allowCoreThreadTimeOut(true); // Nobody has to end it.
    this.thread = one;
  }

  /// Waits until a package is checked, and throws what the check throws.
  ///
  /// @throws IllegalStateException when the caller is interrupted; the check ends soon then
  void check(Path file) {
    Future<?> checked = thread.submit(() -> check.accept(file));
    try {
      checked.get();
    } catch (InterruptedException e) {
      checked.cancel(true);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("check " + file + ": interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException("check " + file, e);
      }
    }
  }
}
