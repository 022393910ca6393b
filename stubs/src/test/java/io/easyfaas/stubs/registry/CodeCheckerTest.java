package io.easyfaas.stubs.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Whose package is checked next.
@Timeout(30)
final class CodeCheckerTest {
  private static final String FIRST = "first";
  private static final long MEBIBYTE = 1L << 20;

  private final Map<String, Long> sizes = new ConcurrentHashMap<>();
  private final List<String> checked = new CopyOnWriteArrayList<>();
  private final Semaphore begun = new Semaphore(0);
  private final Semaphore gate = new Semaphore(0);
  private final Semaphore measured = new Semaphore(0);
  private final AtomicLong nanos = new AtomicLong();
  private final CodeChecker checker =
      new CodeChecker(
          file -> {
            measured.release();
            return sizes.getOrDefault(file.toString(), 0L);
          },
          this::check,
          nanos::get);

  @Test
  void packagesAreCheckedOnOneThreadOfTheSystem() throws Exception {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CodeChecker own =
        new CodeChecker(_ -> 0, _ -> threads.add(Thread.currentThread()), System::nanoTime);
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> checks = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        checks.add(callers.submit(() -> own.check("a", Path.of("code"))));
      }
      for (Future<?> check : checks) {
        check.get();
      }
    }

    assertThat(threads).hasSize(1).noneMatch(Thread::isVirtual);
  }

  @Test
  void aSmallPackageWaitsForNoLargeOneButThatWhichIsChecked() throws Exception {
    try (ExecutorService callers = Executors.newCachedThreadPool()) {
      List<Future<?>> checks = new ArrayList<>(List.of(first(callers)));
      for (int i = 0; i < 14; i++) {
        checks.add(submit(callers, "made-up-" + i, "large-" + i, 478 * MEBIBYTE));
      }
      checks.add(submit(callers, "honest", "small", MEBIBYTE));
      end(checks);
    }

    assertThat(checked).hasSize(16);
    assertThat(checked.subList(0, 2)).containsExactly(FIRST, "small");
  }

  @Test
  void accountsTakeTurns() throws Exception {
    try (ExecutorService callers = Executors.newCachedThreadPool()) {
      List<Future<?>> checks = new ArrayList<>(List.of(first(callers)));
      for (int i = 0; i < 8; i++) {
        checks.add(submit(callers, "many", "one-of-many-" + i, 4 * MEBIBYTE));
      }
      checks.add(submit(callers, "other", "other", 6 * MEBIBYTE));
      end(checks);
    }

    assertThat(checked.subList(0, 3)).containsExactly(FIRST, "one-of-many-0", "other");
  }

  @Test
  void aLargePackageIsNotOvertakenForEver() throws Exception {
    try (ExecutorService callers = Executors.newCachedThreadPool()) {
      List<Future<?>> checks = new ArrayList<>(List.of(first(callers)));
      checks.add(submit(callers, "large", "large", 512 * MEBIBYTE));
      nanos.addAndGet(129_000_000_000L);
      checks.add(submit(callers, "small", "small", MEBIBYTE));
      end(checks);
    }

    assertThat(checked).containsExactly(FIRST, "large", "small");
  }

  @Test
  void whatAnAccountHadCheckedIsForgotten() throws Exception {
    sizes.put("earlier", 512 * MEBIBYTE);
    checker.check("many", Path.of("earlier"));
    measured.acquire();
    checked.clear();
    try (ExecutorService callers = Executors.newCachedThreadPool()) {
      List<Future<?>> checks = new ArrayList<>(List.of(first(callers)));
      checks.add(submit(callers, "other", "other", 8 * MEBIBYTE));
      checks.add(submit(callers, "many", "again", 4 * MEBIBYTE));
      end(checks);
    }

    assertThat(checked).containsExactly(FIRST, "again", "other");
  }

  /// A check that lasts until all are submitted.
  private Future<?> first(ExecutorService callers) throws InterruptedException {
    Future<?> first = submit(callers, FIRST, FIRST, 1);
    begun.acquire();
    return first;
  }

  private Future<?> submit(ExecutorService callers, String account, String name, long size)
      throws InterruptedException {
    sizes.put(name, size);
    Future<?> check = callers.submit(() -> checker.check(account, Path.of(name)));
    measured.acquire();
    return check;
  }

  private void end(List<Future<?>> checks) throws Exception {
    while (checker.waiting() < checks.size() - 1) {
      Thread.onSpinWait();
    }
    gate.release();
    for (Future<?> check : checks) {
      check.get();
    }
  }

  private void check(Path file) {
    checked.add(file.toString());
    if (file.equals(Path.of(FIRST))) {
      begun.release();
      gate.acquireUninterruptibly();
    }
  }
}
