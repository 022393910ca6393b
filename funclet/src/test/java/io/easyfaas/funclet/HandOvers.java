package io.easyfaas.funclet;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ChannelAddress;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Takes what keepers hand over, where the controller would, see protocol.md §1. Every wait is at
/// most 20 s.
public final class HandOvers implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 20;
  private static final int GREETING_BYTES = 24;
  private static final EventLoops LOOPS = new EventLoops(1);

  private final Path socket;
  private final Channel server;
  private final Queue<Channel> open = new ConcurrentLinkedQueue<>();
  private final BlockingQueue<HandOver> handedOver = new LinkedBlockingQueue<>();

  /// One connection, its descriptor and its greeting.
  ///
  /// @param greeting in hexadecimal digits
  /// @param said completed with what the other side says first after its greeting
  public record HandOver(
      Channel channel, FileDescriptor descriptor, String greeting, CompletableFuture<String> said) {
    /// Reads the descriptor, which is a pipe's; this waits where the descriptor itself does not.
    public BufferedReader reader() throws IOException {
      FileInputStream blocking = new FileInputStream("/proc/self/fd/" + descriptor.intValue());
      descriptor.close();
      return new BufferedReader(new InputStreamReader(blocking, StandardCharsets.UTF_8));
    }

    /// Says something to the other side.
    public void say(String text) {
      channel
          .writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8))
          .syncUninterruptibly();
    }
  }

  /// Listens.
  public HandOvers(Path socket) {
    this.socket = socket;
    this.server =
        new ServerBootstrap()
            .group(LOOPS.group())
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(new Accept())
            .bind(new DomainSocketAddress(socket.toFile()))
            .syncUninterruptibly()
            .channel();
  }

  /// Where to hand over.
  public ChannelAddress address(String token, int listenPort) {
    return new ChannelAddress(socket.toString(), token, listenPort);
  }

  /// The next one.
  public HandOver next() {
    try {
      HandOver next = handedOver.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("nothing was handed over in " + PATIENCE_SECONDS + "s");
      }
      return next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.close().syncUninterruptibly();
    open.forEach(channel -> channel.close().syncUninterruptibly());
  }

  private final class Accept extends ChannelInitializer<EpollDomainSocketChannel> {
    @Override
    protected void initChannel(EpollDomainSocketChannel channel) {
      channel.config().setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS);
      channel
          .config()
          .setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(1));
      channel.pipeline().addLast(new Take());
      open.add(channel);
    }
  }

  private final class Take extends ChannelInboundHandlerAdapter {
    private final ByteBuf greeting = Unpooled.buffer(GREETING_BYTES, GREETING_BYTES);
    private final CompletableFuture<String> said = new CompletableFuture<>();
    private FileDescriptor brought = new FileDescriptor(0);

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof FileDescriptor descriptor) {
        brought = descriptor;
        ((EpollDomainSocketChannel) ctx.channel()).config().setReadMode(DomainSocketReadMode.BYTES);
        return;
      }
      ByteBuf bytes = (ByteBuf) message;
      boolean wasWhole = !greeting.isWritable();
      greeting.writeBytes(bytes, Math.min(greeting.writableBytes(), bytes.readableBytes()));
      if (!wasWhole && !greeting.isWritable()) {
        String text = HexFormat.of().formatHex(greeting.array());
        handedOver.add(new HandOver(ctx.channel(), brought, text, said));
      }
      if (bytes.isReadable()) {
        said.complete(bytes.toString(StandardCharsets.UTF_8));
      }
      bytes.release();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      said.complete(""); // The other side has ended.
    }
  }
}
