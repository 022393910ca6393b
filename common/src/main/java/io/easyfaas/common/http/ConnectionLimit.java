package io.easyfaas.common.http;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.group.ChannelGroup;
import io.netty.util.AttributeKey;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// How many connections all servers of a process have together, so that the process keeps
/// descriptors for its own work. Past the limit a new one takes the place of one that makes way:
/// that has sent no whole request, takes nothing of its answers, or only waits for its close; the
/// one first that has not got on for longest. So nobody is locked out by those who open connections
/// and leave it at that, or send and read as little as they can. Who has just come is let be for
/// long enough to ask. Where nobody makes way, nothing is accepted until one does or has closed,
/// and those that are idle are closed meanwhile. When all are found to be at work for longer than a
/// second, a few guests are let in above the limit until that is over: each has one request
/// answered and is closed. Where an account's guests have their share of the seats, the next is
/// told that there is no room, or whether the engine is alive and ready. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // Nothing depends on it.
public final class ConnectionLimit {
  /// Asks a connection to close if nobody is using it: others wait to be accepted.
  static final Object MAKE_ROOM = new Object();

  private static final int LOOK_MILLIS = 100;
  private static final int LOOKS_A_CLEARING = 10; // Each asks every connection.

  private static final int GUESTS = 32;
  private static final int SEATS = 24; // The others are for those who ask whether it is alive.
  private static final int LOOKS_BEFORE_GUESTS = LOOKS_A_CLEARING + 1;
  private static final AttributeKey<Boolean> GUEST = AttributeKey.valueOf("easyfaas.guest");

  // From accepting to reading a head there may be one turn of a busy loop.
  private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final int max;
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger leaving = new AtomicInteger();
  private final LongAdder pauses = new LongAdder();
  private final LongAdder displaced = new LongAdder();
  private final LongAdder stalled = new LongAdder();
  private final GuestSeats seats = new GuestSeats(SEATS);
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final LinkedHashMap<Channel, Long> unasking = new LinkedHashMap<>();

  @GuardedBy("lock")
  private final Set<Listener> listeners = new HashSet<>();

  @GuardedBy("lock")
  private boolean isPaused;

  @GuardedBy("lock")
  private boolean letsGuestsIn;

  /// @param max connections, at least 1
  public ConnectionLimit(int max) {
    if (max < 1) {
      throw new IllegalArgumentException("max: " + max + " (expected: >= 1)");
    }
    this.max = max;
  }

  /// The most there may be.
  public int max() {
    return max;
  }

  /// Connections there are.
  public int open() {
    return open.get();
  }

  /// How often accepting stopped because of the limit.
  public long pauses() {
    return pauses.sum();
  }

  /// Connections closed because their client took nothing of an answer.
  public long stalledClients() {
    return stalled.sum();
  }

  /// Connections that had asked for nothing and were closed for new ones.
  public long displaced() {
    return displaced.sum();
  }

  /// A connection makes way from now on: it has sent part of a request at most, does not take its
  /// answers, or waits for its close. May be told again. On the connection's event loop, which is
  /// what closes it: nothing is kept of one that is closed already.
  void unasking(Channel connection) {
    if (!connection.isOpen()) {
      return;
    }
    synchronized (lock) {
      unasking.putIfAbsent(connection, System.nanoTime());
      update();
    }
  }

  /// A connection that may make way has sent or taken something: now others come first.
  void getsOn(Channel connection) {
    synchronized (lock) {
      if (unasking.remove(connection) != null) {
        unasking.put(connection, System.nanoTime());
      }
    }
  }

  /// A connection has sent a request, and takes its answers.
  void asking(Channel connection) {
    synchronized (lock) {
      unasking.remove(connection);
      update();
    }
  }

  void stalled() {
    stalled.increment();
  }

  /// The handler of a listening socket; it counts what is accepted.
  ///
  /// @param connections of this socket
  ChannelInboundHandlerAdapter listener(ChannelGroup connections) {
    return new Listener(connections);
  }

  /// Whether a connection came when there was no room for it.
  static boolean isGuest(Channel connection) {
    return connection.hasAttr(GUEST);
  }

  /// Whether there are more connections than there may be, so that guests are to leave.
  boolean isFull() {
    return isOver(max);
  }

  /// Whether a guest has a request of the account answered, though there are.
  boolean isServed(Channel guest, String account) {
    boolean isSeated = seats.take(account);
    if (isSeated) {
      guest.closeFuture().addListener(_ -> seats.leave(account));
    }
    return isSeated;
  }

  /// What guests are told.
  String shortage() {
    return "all " + max + " connections are in use";
  }

  private boolean isOver(int connections) {
    return open.get() - leaving.get() > connections;
  }

  /// Accepts, or stops that: when it is full and nobody would make way.
  @GuardedBy("lock")
  private void update() {
    letsGuestsIn = letsGuestsIn && isOver(max - 1);
    int most = letsGuestsIn ? max + GUESTS : max;
    boolean must = isOver(most - 1) && !isFirstReady();
    if (must != isPaused) {
      isPaused = must;
      if (must) {
        pauses.increment();
      }
      listeners.forEach(listener -> listener.accept(!must));
    }
  }

  /// Whether somebody makes way who had time to ask.
  @GuardedBy("lock")
  private boolean isFirstReady() {
    Map.Entry<Channel, Long> first = unasking.firstEntry();
    return first != null && System.nanoTime() - first.getValue() >= FRESH_NANOS;
  }

  /// Closes the connection that has not got on for longest, if it makes way.
  private void displace() {
    Channel oldest;
    synchronized (lock) {
      if (!isFirstReady()) {
        return;
      }
      oldest = unasking.pollFirstEntry().getKey();
    }
    displaced.increment();
    leaving.incrementAndGet();
    oldest.closeFuture().addListener(_ -> leaving.decrementAndGet());
    oldest.close();
  }

  private void accepted(Channel connection) {
    open.incrementAndGet();
    if (isOver(max)) {
      displace();
    }
    if (isOver(max)) {
      connection.attr(GUEST).set(true);
    }
    connection.closeFuture().addListener(_ -> closed(connection));
    unasking(connection);
  }

  private void closed(Channel connection) {
    open.decrementAndGet();
    asking(connection);
  }

  private final class Listener extends ChannelInboundHandlerAdapter {
    private final ChannelGroup connections;
    private @Nullable ChannelHandlerContext context;
    private boolean isMakingRoom; // Confined to the listener's event loop.

    Listener(ChannelGroup connections) {
      this.connections = connections;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      context = ctx;
      synchronized (lock) {
        listeners.add(this);
        accept(!isPaused);
      }
      ctx.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      synchronized (lock) {
        listeners.remove(this);
      }
      ctx.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
      if (accepted instanceof Channel connection) {
        accepted(connection);
      }
      ctx.fireChannelRead(accepted);
    }

    /// Most likely there are no descriptors. Netty accepts again a second later.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      pauses.increment();
      ctx.fireExceptionCaught(cause);
    }

    /// Accepts, or stops that and has idle connections closed meanwhile. Any thread.
    private void accept(boolean on) {
      ChannelHandlerContext ctx = context;
      if (ctx == null) {
        return;
      }
      ctx.channel().config().setAutoRead(on);
      if (!on) {
        ctx.executor().execute(() -> startMakingRoom(ctx));
      }
    }

    private void startMakingRoom(ChannelHandlerContext ctx) {
      if (!isMakingRoom) {
        isMakingRoom = true;
        makeRoom(ctx, 0);
      }
    }

    private void makeRoom(ChannelHandlerContext ctx, int looks) {
      if (!isOver(max - 1) || !ctx.channel().isOpen()) {
        isMakingRoom = false;
        return;
      }
      boolean isAnyMakingWay;
      synchronized (lock) {
        isAnyMakingWay = isFirstReady();
        letsGuestsIn |= !isAnyMakingWay && looks >= LOOKS_BEFORE_GUESTS;
        update();
      }
      if (!isAnyMakingWay && looks % LOOKS_A_CLEARING == 0) {
        connections.forEach(channel -> channel.pipeline().fireUserEventTriggered(MAKE_ROOM));
      }
      int next = isAnyMakingWay ? 0 : looks + 1;
      ctx.executor().schedule(() -> makeRoom(ctx, next), LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }
  }
}
