package io.easyfaas.controller.registry;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// Functions that were looked up already. Thread-safe.
///
/// {@link #fresh} is for the event loop: it reads one concurrent map and never blocks. {@link
/// #load} is for virtual threads: it asks the registry, and however many ask for the same reference
/// at once share one question. Failures are not kept.
///
/// A numbered version never changes and stays 10 minutes; `$LATEST` stays `latestTtl`. Past
/// `maxEntries` the entry that came first goes.
public final class FunctionCache {
  private static final Duration FIXED_TTL = Duration.ofMinutes(10);
  private static final Duration RUNTIME_TTL = Duration.ofMinutes(10);
  private static final int MAX_RUNTIMES = 1000;
  // The registry client's own limit is 30 s for each of two questions.
  private static final Duration SHARED_WAIT = Duration.ofSeconds(65);

  private record Entry(ResolvedFunction function, long expiresAt) {}

  private record RuntimeEntry(RuntimeConfiguration runtime, long expiresAt) {}

  private final RegistryClient registry;
  private final Duration latestTtl;
  private final int maxEntries;
  private final LongSupplier nanoTime;
  private final ConcurrentHashMap<FunctionReference, Entry> entries = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<FunctionReference, CompletableFuture<ResolvedFunction>> flights =
      new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, RuntimeEntry> runtimes = new ConcurrentHashMap<>();
  private final AtomicLong invalidations = new AtomicLong();
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final LinkedHashSet<FunctionReference> order = new LinkedHashSet<>();

  /// Creates an empty cache.
  ///
  /// @param latestTtl how long `$LATEST` is believed; zero asks the registry for every call
  /// @param nanoTime usually {@link System#nanoTime()}
  public FunctionCache(
      RegistryClient registry, Duration latestTtl, int maxEntries, LongSupplier nanoTime) {
    this.registry = registry;
    this.latestTtl = latestTtl;
    this.maxEntries = maxEntries;
    this.nanoTime = nanoTime;
  }

  /// The function, if it was looked up and is still believed. Never blocks.
  public Optional<ResolvedFunction> fresh(FunctionReference reference) {
    Entry entry = entries.get(reference);
    return entry == null || entry.expiresAt() - nanoTime.getAsLong() <= 0
        ? Optional.empty()
        : Optional.of(entry.function());
  }

  /// The function, asked for at the registry. Blocks at most 65 s.
  ///
  /// @throws ApiException as {@link RegistryClient} does
  public ResolvedFunction load(FunctionReference reference, String requestId) {
    if (!reference.isFixed() && latestTtl.isZero()) {
      // Who asks now wants what is true now; a question asked before may have an older answer.
      return ask(reference, requestId);
    }
    CompletableFuture<ResolvedFunction> mine = new CompletableFuture<>();
    CompletableFuture<ResolvedFunction> running = flights.putIfAbsent(reference, mine);
    if (running != null) {
      return await(running);
    }
    try {
      // The flight before this one may have landed since the caller looked.
      ResolvedFunction function =
          fresh(reference).orElseGet(() -> askAndKeep(reference, requestId));
      mine.complete(function);
      return function;
    } catch (RuntimeException e) {
      mine.completeExceptionally(e);
      throw e;
    } finally {
      flights.remove(reference, mine);
    }
  }

  /// Forgets every revision of a function, so that the next call asks the registry.
  public void invalidate(FunctionBrn brn) {
    invalidations.incrementAndGet();
    String unqualified = brn.withQualifier(new Qualifier.Absent()).toString();
    synchronized (lock) {
      for (Map.Entry<FunctionReference, Entry> entry : entries.entrySet()) {
        String found = entry.getValue().function().key().brn();
        if (found.equals(unqualified) || found.startsWith(unqualified + ":")) {
          entries.remove(entry.getKey());
          order.remove(entry.getKey());
        }
      }
    }
  }

  /// How many references are kept.
  public int size() {
    return entries.size();
  }

  private ResolvedFunction askAndKeep(FunctionReference reference, String requestId) {
    long before = invalidations.get();
    ResolvedFunction function = ask(reference, requestId);
    Duration ttl = reference.isFixed() ? FIXED_TTL : latestTtl;
    synchronized (lock) {
      if (invalidations.get() == before) {
        entries.put(reference, new Entry(function, nanoTime.getAsLong() + ttl.toNanos()));
        order.add(reference);
        for (Iterator<FunctionReference> oldest = order.iterator();
            order.size() > maxEntries && oldest.hasNext(); ) {
          entries.remove(oldest.next());
          oldest.remove();
        }
      }
    }
    return function;
  }

  private ResolvedFunction ask(FunctionReference reference, String requestId) {
    FunctionDocument document = registry.function(reference, requestId);
    String runtimeName = document.configuration().runtime();
    if (runtimeName == null || runtimeName.isEmpty()) {
      throw new ApiException(
          ErrorCode.SERVICE, "runtime: none in the configuration (expected: a runtime's name)");
    }
    RuntimeConfiguration runtime = runtime(runtimeName, requestId);
    Entry old = entries.get(reference);
    return old != null && old.function().isMadeOf(document, runtime)
        ? old.function()
        : ResolvedFunction.of(document, runtime);
  }

  private RuntimeConfiguration runtime(String name, String requestId) {
    RuntimeEntry kept = runtimes.get(name);
    if (kept != null && kept.expiresAt() - nanoTime.getAsLong() > 0) {
      return kept.runtime();
    }
    RuntimeConfiguration runtime = registry.runtime(name, requestId);
    if (runtimes.size() >= MAX_RUNTIMES) {
      runtimes.clear();
    }
    runtimes.put(name, new RuntimeEntry(runtime, nanoTime.getAsLong() + RUNTIME_TTL.toNanos()));
    return runtime;
  }

  private static ResolvedFunction await(CompletableFuture<ResolvedFunction> running) {
    try {
      return running.get(SHARED_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ApiException failure) {
        throw failure;
      }
      throw new ApiException(ErrorCode.SERVICE, "", List.of(String.valueOf(e.getCause())));
    } catch (TimeoutException _) {
      throw new ApiException(
          ErrorCode.SERVICE,
          "",
          List.of("registry: no answer in " + SHARED_WAIT.toSeconds() + "s"));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping");
    }
  }
}
