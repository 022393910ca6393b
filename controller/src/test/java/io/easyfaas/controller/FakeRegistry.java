package io.easyfaas.controller;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.registry.RegistryClient;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A registry in memory; functions are owned by the default account.
public final class FakeRegistry implements RegistryClient {
  private final Map<String, FunctionDocument> documents = new ConcurrentHashMap<>();
  private final AtomicInteger asked = new AtomicInteger();
  private final Semaphore answers = new Semaphore(Integer.MAX_VALUE);

  /// What tests vary about a function.
  ///
  /// @param handler what the fake runner does
  /// @param memory mebibytes
  /// @param concurrency calls per sandbox
  /// @param reserved calls of all sandboxes; null = no limit
  /// @param logType where its log goes; empty = nowhere
  /// @param owner account
  public record Traits(
      String handler,
      int memory,
      int timeoutSeconds,
      int concurrency,
      @Nullable Integer reserved,
      String logType,
      String owner) {
    /// 128 MiB, 3 s, one call at a time.
    public static Traits of(String handler) {
      return new Traits(handler, 128, 3, 1, null, "", Account.DEFAULT.id());
    }

    /// With another memory limit.
    public Traits memory(int mebibytes) {
      return new Traits(handler, mebibytes, timeoutSeconds, concurrency, reserved, logType, owner);
    }

    /// With another concurrency per sandbox.
    public Traits concurrency(int calls) {
      return new Traits(handler, memory, timeoutSeconds, calls, reserved, logType, owner);
    }

    /// With a limit of calls of all sandboxes.
    public Traits reserved(int calls) {
      return new Traits(handler, memory, timeoutSeconds, concurrency, calls, logType, owner);
    }

    /// With another time a call may take.
    public Traits timeout(int seconds) {
      return new Traits(handler, memory, seconds, concurrency, reserved, logType, owner);
    }

    /// Of another account.
    public Traits owner(String account) {
      return new Traits(handler, memory, timeoutSeconds, concurrency, reserved, logType, account);
    }

    /// With a user log.
    public Traits logged() {
      return new Traits(handler, memory, timeoutSeconds, concurrency, reserved, "bos", owner);
    }
  }

  /// Registers a function; its BRN has the version 1.
  public String add(String name, Traits traits) {
    String brn = FunctionBrn.of(Account.DEFAULT, name, new Qualifier.Version("1")).toString();
    documents.put(brn, document(name, brn, traits));
    return brn;
  }

  /// Registers a revision of `$LATEST`, instead of the one before it.
  ///
  /// @return the BRN of `$LATEST`
  public String latest(String name, int revision, Traits traits) {
    String brn = FunctionBrn.of(Account.DEFAULT, name, new Qualifier.Version("$LATEST")).toString();
    documents.put(brn, document(name, brn, traits, "." + revision));
    return brn;
  }

  /// A document as a registry serves it.
  public static FunctionDocument document(String name, String brn, Traits traits) {
    return document(name, brn, traits, "");
  }

  private static FunctionDocument document(
      String name, String brn, Traits traits, String revision) {
    return new FunctionDocument(
        new FunctionDocument.FunctionCode("/code/" + name + revision + ".zip", "filesystem", null),
        new FunctionDocument.Concurrency(traits.reserved(), 0),
        new FunctionConfiguration(
            "c2hh",
            1L,
            null,
            null,
            brn,
            name,
            "index." + traits.handler(),
            null,
            traits.memory(),
            "nodejs20",
            traits.timeoutSeconds(),
            "1",
            "commit-of-" + name + revision,
            traits.owner(),
            traits.concurrency(),
            null),
        new FunctionDocument.LogConfig(traits.logType(), "", ""),
        null,
        Map.of());
  }

  /// How often a function was asked for.
  public int asked() {
    return asked.get();
  }

  /// Gives no answers any more, like a process that was stopped.
  public void stop() {
    answers.drainPermits();
  }

  /// Answers all questions, also those that wait. Safe to call twice.
  public void goOn() {
    answers.drainPermits();
    answers.release(Integer.MAX_VALUE);
  }

  @Override
  public FunctionDocument function(FunctionReference reference, String requestId) {
    asked.incrementAndGet();
    answers.acquireUninterruptibly();
    String brn =
        reference.isBrn()
            ? reference.name()
            : FunctionBrn.of(
                    Account.DEFAULT, reference.name(), new Qualifier.Version(reference.qualifier()))
                .toString();
    FunctionDocument document = documents.get(brn);
    if (document == null) {
      throw new ApiException(
          ErrorCode.RESOURCE_NOT_FOUND,
          "get function from data storer failed",
          List.of("no function " + brn));
    }
    return document;
  }

  @Override
  public RuntimeConfiguration runtime(String name, String requestId) {
    return new RuntimeConfiguration(
        name, "/usr/bin/node", "/opt/node", List.of("runner.js"), List.of());
  }
}
