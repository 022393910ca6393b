package io.easyfaas.controller.runtime;

import io.easyfaas.common.disk.DiskTree;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the channels of one event loop's sandboxes are handed over, see protocol.md §1: a unix
/// socket that no sandbox can reach. Thread-safe.
///
/// A hand-over counts only if its token is expected, and is then expected no more: what comes late
/// or twice is closed.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class ChannelListener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelListener.class);
  private static final int TOKEN_BYTES = 16;
  // Beyond those that are expected: some come late.
  static final int SPARE_UNGREETED = 64;

  private record Expected(ChannelKind kind, String token) {}

  private final RunnerLoop loop;
  private final Path socket;
  private final Set<Integer> users;
  private final Duration patience;
  private final SecureRandom random = new SecureRandom();
  private final Map<Expected, Generation> expected = new ConcurrentHashMap<>();
  private final Channel server;
  private final AtomicBoolean isClosed = new AtomicBoolean();
  private int ungreeted; // Confined to the loop.

  /// Listens.
  ///
  /// @param socket its path; whatever is there is replaced
  /// @param users who may hand over
  /// @param patience how long a connection may take to say whose it is
  /// @throws RunnerException when the socket cannot be made
  ChannelListener(RunnerLoop loop, Path socket, Set<Integer> users, Duration patience) {
    this.loop = loop;
    this.socket = socket;
    this.users = users;
    this.patience = patience;
    try {
      DiskTree.delete(socket);
    } catch (IOException e) {
      throw new RunnerException("remove " + socket + ": " + e.getMessage());
    }
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop.loop)
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(new Accept())
            .bind(new DomainSocketAddress(socket.toFile()))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new RunnerException("listen on " + socket + ": " + bound.cause().getMessage());
    }
    server = bound.channel();
    try {
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      close();
      throw new RunnerException("close " + socket + " to others: " + e.getMessage());
    }
  }

  /// Its loop, which all that is handed over lives on.
  RunnerLoop loop() {
    return loop;
  }

  /// Where it listens.
  Path socket() {
    return socket;
  }

  /// Expects the hand-over of a generation's runner, and of a listener besides.
  ///
  /// @return the token it must name: 128 random bits
  String expect(Generation generation, boolean withListener) {
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    String token = HexFormat.of().formatHex(bytes);
    expected.put(new Expected(ChannelKind.RUNNER, token), generation);
    if (withListener) {
      expected.put(new Expected(ChannelKind.LISTENER, token), generation);
    }
    return token;
  }

  /// Expects nothing with the token any more. Safe to call twice.
  void forget(String token) {
    for (ChannelKind kind : ChannelKind.values()) {
      expected.remove(new Expected(kind, token));
    }
  }

  /// Whose hand-over it is, once; null when none is expected.
  @Nullable Generation take(ChannelKind kind, byte[] token) {
    return expected.remove(new Expected(kind, HexFormat.of().formatHex(token)));
  }

  /// A connection has greeted, or is gone. On the loop.
  void greeted() {
    ungreeted--;
  }

  /// Stops listening and removes the socket. All generations must have been ended. Safe to call
  /// twice.
  @Override
  public void close() {
    if (!isClosed.compareAndSet(false, true)) {
      return;
    }
    server.close().awaitUninterruptibly();
    loop.loop.execute(loop::close);
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      LOG.warn("remove {}: {}", socket, e.getMessage());
    }
  }

  private boolean mayHandOver(EpollDomainSocketChannel channel) {
    int user;
    try {
      user = channel.peerCredentials().uid();
    } catch (IOException e) {
      LOG.warn("{}: whose connection? {}", socket, e.getMessage());
      return false;
    }
    if (!users.contains(user)) {
      LOG.warn("{}: user {} may not hand over", socket, user);
      return false;
    }
    if (ungreeted >= expected.size() + SPARE_UNGREETED) {
      LOG.warn("{}: {} connections have not said whose they are", socket, ungreeted);
      return false;
    }
    return true;
  }

  private final class Accept extends ChannelInitializer<EpollDomainSocketChannel> {
    @Override
    protected void initChannel(EpollDomainSocketChannel channel) {
      if (!mayHandOver(channel)) {
        channel.close();
        return;
      }
      ungreeted++;
      channel.pipeline().addLast(new HandOver(ChannelListener.this, channel, patience));
    }
  }
}
