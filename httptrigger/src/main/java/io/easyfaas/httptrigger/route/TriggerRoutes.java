package io.easyfaas.httptrigger.route;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.LoopHandler;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.http.Router;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.RequestIds;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// The trigger's HTTP interface, see docs/http-trigger.md: calls are made on the event loop,
/// everything else is answered by {@link HttpHandler}. Thread-safe.
public final class TriggerRoutes implements HttpHandler, AutoCloseable {
  /// What made these calls, for logs.
  static final String TRIGGER = "faas-http-trigger";

  private static final Duration ROOM_PATIENCE = Duration.ofSeconds(5);

  private final Invoker invoker;
  private final ByteBudget budget;
  private final String region;
  private final CallTerms usual;
  private final CallTerms withLog;
  private final Router router;
  private final Map<EventLoop, RequestIds> requestIds = new HashMap<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("trigger-", 0).factory());
  private volatile boolean draining;

  /// Creates the routes.
  ///
  /// @param invoker makes the calls
  /// @param region of every function that is called
  /// @param patience the longest wait for an answer
  /// @param loops that connections may live on, with the account of their bytes
  public TriggerRoutes(Invoker invoker, String region, Duration patience, EventLoops loops) {
    this.invoker = invoker;
    this.budget = loops.budget();
    this.region = region;
    this.usual = terms(patience, CallTerms.LogWish.NONE);
    this.withLog = terms(patience, CallTerms.LogWish.TAIL);
    SecureRandom seed = new SecureRandom();
    loops.group().forEach(loop -> requestIds.put((EventLoop) loop, new RequestIds(seed)));
    this.router =
        Router.builder()
            .atOnce(HttpHandler.FEW_AT_ONCE)
            .route(
                "GET", "/hello", (_, _) -> HttpResponse.text(200, "hello controller http trigger"))
            .atHand("/healthz", (_, _) -> HttpResponse.text(200, "ok"))
            .route("GET", "/readyz", (_, _) -> ready())
            .build();
  }

  /// The handler of a new connection.
  public LoopHandler handler(EventLoop loop) {
    RequestIds ids = requestIds.get(loop);
    if (ids == null) {
      throw new IllegalStateException("connection on a foreign event loop: " + loop);
    }
    return new TriggerHandler(this, ids);
  }

  @Override
  public String accountOf(HttpRequest head) {
    List<String> path = head.path();
    return path.isEmpty() ? "" : path.getFirst();
  }

  @Override
  public boolean isAtHand(HttpRequest request) {
    return router.isAtHand(request);
  }

  @Override
  public int atOnce() {
    return router.atOnce();
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    return router.handle(request);
  }

  /// Refuses calls from now on. Safe to call twice.
  public void drain() {
    draining = true;
  }

  /// Stops what is being translated. Safe to call twice.
  @Override
  public void close() {
    draining = true;
    threads.shutdownNow();
  }

  /// @throws ApiException when no call may be made any more
  void checkOpen() {
    if (draining) {
      throw stopping();
    }
  }

  Invoker invoker() {
    return invoker;
  }

  /// Who answers for an event: who did for its body, and more where it needs more. On an event loop
  /// at once, on another thread when there is room.
  ///
  /// @param body loses its owner
  /// @param bytes of the event
  /// @return null when they are few
  /// @throws ApiException when there is no room in time
  @Nullable Reservation owner(String account, ByteBuf body, long bytes) {
    Reservation owner =
        OwnedBytes.takeOwner(body).orElseGet(() -> budget.open(ByteKind.BODY, account));
    long missing = bytes - owner.bytes();
    if (bytes <= ByteBudget.FREE_BYTES) {
      owner.close();
      return null;
    }
    reserve(owner, missing);
    return owner;
  }

  /// A buffer for an answer's body, with an owner unless it is small. Waits like {@link #owner}.
  ///
  /// @throws ApiException when there is no room in time
  ByteBuf memory(ByteBufAllocator allocator, String account, int bytes) {
    if (bytes <= ByteBudget.FREE_BYTES) {
      return allocator.directBuffer(bytes, bytes);
    }
    Reservation owner = budget.open(ByteKind.ANSWER, account);
    reserve(owner, bytes);
    return OwnedBytes.empty(allocator, owner, bytes);
  }

  /// The account of answers that clients have not taken yet.
  ByteBudget budget() {
    return budget;
  }

  private static void reserve(Reservation owner, long missing) {
    if (missing <= 0) {
      return;
    }
    if (!Thread.currentThread().isVirtual()) {
      owner.add(missing);
      return;
    }
    boolean isReserved;
    try {
      isReserved = owner.growWithin(missing, ROOM_PATIENCE);
    } catch (InterruptedException _) {
      throw stopping();
    }
    if (!isReserved) {
      throw new ApiException(ErrorCode.UNAVAILABLE, owner.shortage(missing));
    }
  }

  /// For what takes too long for an event loop.
  ExecutorService threads() {
    return threads;
  }

  CallTerms terms(boolean wantsLog) {
    return wantsLog ? withLog : usual;
  }

  TriggerUrl url(List<String> path) {
    return TriggerUrl.of(path, region);
  }

  private HttpResponse ready() {
    checkOpen();
    invoker
        .unready()
        .ifPresent(why -> {
          throw new ApiException(ErrorCode.UNAVAILABLE, why);
        });
    return HttpResponse.text(200, "ready");
  }

  private static ApiException stopping() {
    return new ApiException(ErrorCode.UNAVAILABLE, "the trigger is stopping");
  }

  private static CallTerms terms(Duration patience, CallTerms.LogWish log) {
    return new CallTerms(patience, CallTerms.Priority.NORMAL, log, TRIGGER);
  }
}
