package io.easyfaas.controller;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.controller.pool.PoolClock;
import io.easyfaas.controller.pool.SlotState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// A whole controller over real HTTP, with a fake funclet, a fake registry and a clock of its own.
final class TestController implements AutoCloseable {
  final FakeFunclet funclet;
  final FakeRegistry registry = new FakeRegistry();
  final Controller controller;
  final AtomicLong nanos = new AtomicLong(1);
  private final Path directory;
  private final EventLoops loops;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  TestController(int slots, int allocatableMebibytes, String... settings) {
    this(slots, allocatableMebibytes, 1, _ -> {}, settings);
  }

  TestController(
      int slots,
      int allocatableMebibytes,
      int eventLoops,
      Consumer<FakeFunclet> prepare,
      String... settings) {
    try {
      directory = Files.createTempDirectory(Path.of("/tmp"), "easyfaas-test");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    funclet = new FakeFunclet(slots, allocatableMebibytes);
    prepare.accept(funclet);
    List<String> args =
        new ArrayList<>(
            List.of(
                "--port",
                "0",
                "--run-dir",
                directory.resolve("run").toString(),
                "--userlog-filepath",
                directory.resolve("logs").toString()));
    // Most tests count slots and let time pass; these have tests of their own.
    Map.of("--max-prewarmed", "0", "--freeze-after", "0s")
        .forEach((key, off) -> {
          if (!List.of(settings).contains(key)) {
            args.addAll(List.of(key, off));
          }
        });
    args.addAll(List.of(settings));
    loops = new EventLoops(eventLoops);
    controller =
        Controller.start(
            ControllerConfig.parse(args, Map.of()),
            funclet,
            registry,
            loops,
            new PoolClock(nanos::get, InstantSource.system()),
            new ArrayList<>());
    pass(Duration.ZERO);
  }

  /// Where the controller's own sockets are.
  Path runDirectory() {
    return directory.resolve("run");
  }

  Path logs() {
    return directory.resolve("logs");
  }

  /// The account of what is on its way from and to clients.
  ByteBudget bytes() {
    return loops.budget();
  }

  int port() {
    return controller.port();
  }

  /// Moves time on and does what is due.
  void pass(Duration duration) {
    nanos.addAndGet(duration.toNanos());
    var _ = controller.warden().sweep();
  }

  /// A request for a function by its BRN or by path and query, as the owner.
  HttpRequest.Builder invocation(String function, String body) {
    return HttpRequest.newBuilder(uri("/v1/functions/" + function + "/invocations"))
        .header(Headers.ACCOUNT_ID, Account.DEFAULT.id())
        .timeout(Duration.ofSeconds(20))
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  /// A call by BRN with a query.
  HttpRequest.Builder invocation(String function, String query, String body) {
    return invocation(function, body)
        .uri(uri("/v1/functions/" + function + "/invocations?" + query));
  }

  HttpResponse<String> invoke(String function, String body) {
    return send(invocation(function, body).build());
  }

  CompletableFuture<HttpResponse<String>> invokeLater(String function, String body) {
    return sendLater(invocation(function, body).build());
  }

  CompletableFuture<HttpResponse<String>> sendLater(HttpRequest request) {
    return client.sendAsync(request, HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> get(String path) {
    return send(HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(20)).build());
  }

  HttpResponse<String> send(HttpRequest request) {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path.replace("$", "%24"));
  }

  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("not in 20s", e);
    }
  }

  /// Waits until something that another thread does has happened.
  static void until(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not in 20s: " + what);
      }
      LockSupport.parkNanos(100_000);
    }
  }

  /// Waits until the event loops have done what they were told.
  void settle() {
    loops.group().forEach(loop -> loop.submit(() -> {}).awaitUninterruptibly());
  }

  /// Calls in flight in all slots.
  int inFlight() {
    return controller.warden().pool().slots().stream()
        .mapToInt(slot -> slot.state() instanceof SlotState.Warm warm ? warm.inFlight() : 0)
        .sum();
  }

  /// States of all slots, by index.
  List<String> states() {
    return controller.warden().pool().slots().stream().map(slot -> slot.state().name()).toList();
  }

  @Override
  public void close() {
    client.shutdownNow();
    controller.close();
    loops.close();
    try {
      funclet.close();
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
