package io.easyfaas.controller.registry;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Functions that were looked up already. Thread-safe.
///
/// {@link #fresh} is for the event loop: it reads one concurrent map and never blocks. {@link
/// #load} asks the registry, and however many ask for the same reference at once share one
/// question. Refusals are not kept.
///
/// **How long.** A numbered version never changes and is believed 10 minutes; `$LATEST` is believed
/// `latestTtl`. When the registry then gives no answer in 2 s, or one that says nothing of the
/// function (5xx), or has as many questions as it may, calls go on with the last one for `maxStale`
/// more. Meanwhile the registry is asked again after 1 s, 2 s, 4 s and from then on every 8 s, and
/// no call waits for it.
///
/// **How much.** What is kept has a weight in bytes, all together `maxBytes`. What is used often
/// stays; a flood of functions that are used once does not push it out.
public final class FunctionCache {
  /// How far a cache goes.
  ///
  /// @param maxBytes of all functions that are kept
  /// @param latestTtl how long `$LATEST` is believed; zero asks the registry for every call
  /// @param maxStale how much longer a function is used while the registry gives no answer
  /// @param timeout of one question, the wait for its turn not counted
  public record Limits(
      ByteSize maxBytes, Duration latestTtl, Duration maxStale, Duration timeout) {}

  private static final Duration FIXED_TTL = Duration.ofMinutes(10);
  private static final Duration RUNTIME_TTL = Duration.ofMinutes(10);
  private static final long MAX_RUNTIME_BYTES = 1024L * 1024;
  private static final int ENTRY_BYTES = 256; // Map entry, reference and the cache's own node.

  // How long calls wait for an answer when there is a last one.
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final int MAX_DOUBLINGS = 3;

  /// @param freshUntil until when it is used without asking
  /// @param confirmedAt when the registry last answered with it
  /// @param failures questions since then that were not answered
  private record Entry(ResolvedFunction function, long freshUntil, long confirmedAt, int failures) {
    boolean isOf(ResolvedFunction revision) {
      return function.key().equals(revision.key());
    }
  }

  private record RuntimeEntry(RuntimeConfiguration runtime, long freshUntil) {}

  private final RegistryClient registry;
  private final Limits limits;
  private final LongSupplier nanoTime;
  private final Flights flights;
  private final RegistryOutage outage;
  private final Cache<FunctionReference, Entry> entries;
  private final Cache<String, RuntimeEntry> runtimes;
  private final LongAdder staleAnswers = new LongAdder();

  // Between seeing that nothing was invalidated and keeping an answer, nothing is invalidated. For
  // the threads of questions, and of who changes functions; nobody holds it for long.
  private final Object lock = new Object();

  @GuardedBy("lock")
  private long invalidations;

  /// Creates an empty cache.
  ///
  /// @param nanoTime usually {@link System#nanoTime()}
  public FunctionCache(RegistryClient registry, Limits limits, LongSupplier nanoTime) {
    this.registry = registry;
    this.limits = limits;
    this.nanoTime = nanoTime;
    this.flights = new Flights(limits.timeout());
    this.outage = new RegistryOutage(limits.maxStale(), nanoTime);
    this.entries =
        Caffeine.newBuilder()
            .maximumWeight(limits.maxBytes().bytes())
            .<FunctionReference, Entry>weigher((reference, entry) ->
                (int)
                    Math.min(
                        Integer.MAX_VALUE,
                        ENTRY_BYTES + reference.characters() + entry.function().weight()))
            .executor(Runnable::run) // Housekeeping is short, and this makes no threads.
            .build();
    this.runtimes =
        Caffeine.newBuilder()
            .maximumWeight(MAX_RUNTIME_BYTES)
            .<String, RuntimeEntry>weigher((name, entry) ->
                ENTRY_BYTES + name.length() + Json.PASCAL.write(entry.runtime()).length)
            .executor(Runnable::run)
            .build();
  }

  /// The function, if it was looked up and is still believed. Never blocks.
  public Optional<ResolvedFunction> fresh(FunctionReference reference) {
    Entry entry = entries.getIfPresent(reference);
    return entry == null || isOver(entry.freshUntil())
        ? Optional.empty()
        : Optional.of(entry.function());
  }

  /// The function, asked for at the registry. Does not block. It comes on the thread that asked, on
  /// a timer's when there is no answer in time, or on the caller's own.
  ///
  /// @param deadline in the cache's nanoseconds
  /// @return fails with an ApiException as {@link RegistryClient} throws, and with UNAVAILABLE when
  ///   there is no answer
  public CompletableFuture<ResolvedFunction> load(
      FunctionReference reference, String requestId, long deadline) {
    Entry last = usable(reference);
    // With no time to live who asks now wants what is true now; a question asked before may have an
    // older answer.
    boolean shares = reference.isFixed() || !limits.latestTtl().isZero();
    Flights.Flight flight =
        shares
            ? flights.join(
                reference,
                // The flight before this one may have landed since the caller looked.
                () -> confirmed(reference).orElseGet(() -> askAndKeep(reference, requestId)))
            : flights.alone(() -> askAndKeep(reference, requestId));
    long left = deadline - nanoTime.getAsLong();
    long nanos = Math.max(0, patience(last, !shares || flight.hasBegun(), left));
    CompletableFuture<ResolvedFunction> answer = flight.answer();
    if (nanos == 0) {
      answer.completeExceptionally(new TimeoutException());
    }
    return answer
        .orTimeout(nanos, TimeUnit.NANOSECONDS)
        .exceptionally(failure -> {
          ApiException why =
              failure instanceof TimeoutException ? late(nanos) : ApiException.of(failure);
          if (last == null || why.code().status() < ErrorCode.SERVICE.status()) {
            throw why;
          }
          return goOn(reference, last, why);
        });
  }

  /// The function as the registry said it last, for when nobody can ask it now; counts as a
  /// question that got no answer. Never blocks.
  ///
  /// @param why nobody can
  /// @return empty when there is none that may still be used
  public Optional<ResolvedFunction> last(FunctionReference reference, ApiException why) {
    Entry last = usable(reference);
    if (last == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(goOn(reference, last, why));
    } catch (ApiException _) { // It was changed right now.
      return Optional.empty();
    }
  }

  /// Forgets a revision that is of no use any more, unless a newer one has taken its place, so that
  /// who asks next hears what the registry says from now on.
  public void outdated(FunctionReference reference, ResolvedFunction revision) {
    Entry entry = entries.getIfPresent(reference);
    if (entry != null && entry.isOf(revision)) {
      dropAnswersUnderWay(); // They may be as old.
      entries.asMap().computeIfPresent(reference, (_, kept) -> kept.isOf(revision) ? null : kept);
      flights.forget();
    }
  }

  /// Forgets every revision of a function, so that the next call asks the registry.
  public void invalidate(FunctionBrn brn) {
    dropAnswersUnderWay();
    String unqualified = brn.unqualified().toString();
    for (Map.Entry<FunctionReference, Entry> entry : entries.asMap().entrySet()) {
      String found = entry.getValue().function().key().brn();
      if (found.equals(unqualified) || found.startsWith(unqualified + ":")) {
        entries.invalidate(entry.getKey());
      }
    }
    flights.forget(); // Last: one that began before may have found what was kept.
  }

  /// How many functions are kept, about.
  public long size() {
    return entries.estimatedSize();
  }

  /// How many bytes they take, about.
  public long bytes() {
    return entries.policy().eviction().orElseThrow().weightedSize().orElse(0);
  }

  /// Look-ups that were answered with the last document since the registry gave no answer.
  public long staleAnswers() {
    return staleAnswers.sum();
  }

  /// Whether the registry's last answer was none.
  public boolean isRegistryGone() {
    return outage.isOn();
  }

  /// The function, if the registry has said so itself and it is still believed.
  private Optional<ResolvedFunction> confirmed(FunctionReference reference) {
    Entry entry = entries.getIfPresent(reference);
    return entry == null || entry.failures() > 0 ? Optional.empty() : fresh(reference);
  }

  private @Nullable Entry usable(FunctionReference reference) {
    Entry entry = entries.getIfPresent(reference);
    return entry == null || isOver(staleUntil(reference, entry)) ? null : entry;
  }

  /// @param hasBegun whether the question may be answered soon: its turn has come
  private static long patience(@Nullable Entry last, boolean hasBegun, long left) {
    if (last == null) {
      return left;
    }
    return hasBegun && last.failures() == 0 ? Math.min(left, PATIENCE.toNanos()) : 0;
  }

  /// Uses the last answer for a while without asking again.
  @SuppressWarnings("ReferenceEquality") // This very entry: any other one is newer.
  private ResolvedFunction goOn(FunctionReference reference, Entry last, ApiException failure) {
    long pause = FIRST_PAUSE.toNanos() << Math.min(last.failures(), MAX_DOUBLINGS);
    long until = nanoTime.getAsLong() + pause;
    long end = staleUntil(reference, last);
    Entry used =
        new Entry(
            last.function(),
            until - end > 0 ? end : until,
            last.confirmedAt(),
            last.failures() + 1);
    Entry current =
        entries.asMap().computeIfPresent(reference, (_, kept) -> kept == last ? used : kept);
    if (current == null) { // It was changed meanwhile.
      throw failure;
    }
    staleAnswers.increment();
    return current.function();
  }

  /// No answer to a question that was asked before now is kept.
  private void dropAnswersUnderWay() {
    synchronized (lock) {
      invalidations++;
    }
  }

  private long invalidations() {
    synchronized (lock) {
      return invalidations;
    }
  }

  private ResolvedFunction askAndKeep(FunctionReference reference, String requestId) {
    long before = invalidations();
    ResolvedFunction function;
    try {
      function = ask(reference, requestId);
    } catch (ApiException e) {
      outage.answered(e);
      throw e;
    }
    synchronized (lock) {
      if (invalidations == before) {
        long now = nanoTime.getAsLong();
        entries.put(reference, new Entry(function, now + ttl(reference).toNanos(), now, 0));
      }
    }
    outage.answered();
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
    Entry old = entries.getIfPresent(reference);
    return old != null && old.function().isMadeOf(document, runtime)
        ? old.function()
        : ResolvedFunction.of(document, runtime);
  }

  private RuntimeConfiguration runtime(String name, String requestId) {
    RuntimeEntry kept = runtimes.getIfPresent(name);
    if (kept != null && !isOver(kept.freshUntil())) {
      return kept.runtime();
    }
    RuntimeConfiguration runtime = registry.runtime(name, requestId);
    runtimes.put(name, new RuntimeEntry(runtime, nanoTime.getAsLong() + RUNTIME_TTL.toNanos()));
    return runtime;
  }

  private Duration ttl(FunctionReference reference) {
    return reference.isFixed() ? FIXED_TTL : limits.latestTtl();
  }

  private long staleUntil(FunctionReference reference, Entry entry) {
    return entry.confirmedAt() + ttl(reference).plus(limits.maxStale()).toNanos();
  }

  private boolean isOver(long time) {
    return time - nanoTime.getAsLong() <= 0;
  }

  private static ApiException late(long nanos) {
    return RegistryClient.noAnswer("no answer in " + TimeUnit.NANOSECONDS.toMillis(nanos) + "ms");
  }
}
