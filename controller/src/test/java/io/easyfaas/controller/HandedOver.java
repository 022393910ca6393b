package io.easyfaas.controller;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ChannelAddress;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A connection to a controller and the descriptor that goes before it, as the launcher makes them,
/// see protocol.md §1. The methods block, at most 20 s.
public final class HandedOver implements AutoCloseable {
  /// Kind of a runner's connection.
  public static final byte RUNNER = 1;

  /// Kind of a connection that brings a listener.
  public static final byte LISTENER = 2;

  private static final byte[] END = {};
  // For all tests of the process: nothing of theirs must wait for the loop under test.
  private static final EventLoops LOOPS = new EventLoops(1);

  private final Channel channel;
  private final BlockingQueue<byte[]> arrived = new LinkedBlockingQueue<>();
  private ByteBuffer rest = ByteBuffer.allocate(0);

  private HandedOver(Path socket) throws IOException {
    var connected =
        new Bootstrap()
            .group(LOOPS.group())
            .channel(EpollDomainSocketChannel.class)
            .handler(new Arrivals())
            .connect(new DomainSocketAddress(socket.toFile()))
            .awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw new IOException(connected.cause());
    }
    channel = connected.channel();
  }

  /// Connects and says nothing.
  public static HandedOver connect(Path socket) throws IOException {
    return new HandedOver(socket);
  }

  /// Hands a runner's channel over.
  ///
  /// @param output read end of what it prints; stays the caller's to close
  public static HandedOver runner(ChannelAddress address, FileDescriptor output)
      throws IOException {
    HandedOver made = new HandedOver(Path.of(address.socket()));
    made.send(output);
    made.write(greeting(RUNNER, address.token()));
    return made;
  }

  /// What is said after the descriptor.
  public static ByteBuffer greeting(byte kind, String token) {
    return ByteBuffer.allocate(24)
        .put(new byte[] {'E', 'F', 'C', 'H', 1, kind, 0, 0})
        .put(HexFormat.of().parseHex(token))
        .flip();
  }

  /// Opens the writing end of a pipe anew; it blocks as a runner's does.
  public static FileOutputStream writer(FileDescriptor end) throws IOException {
    return new FileOutputStream("/proc/self/fd/" + end.intValue());
  }

  /// Sends a copy of a descriptor.
  public void send(FileDescriptor descriptor) throws IOException {
    sent(channel.writeAndFlush(descriptor));
  }

  /// Sends bytes.
  public void write(ByteBuffer bytes) throws IOException {
    sent(channel.writeAndFlush(Unpooled.copiedBuffer(bytes)));
    bytes.position(bytes.limit());
  }

  /// Takes nothing more: what is sent stays with the controller. Otherwise all that comes is taken
  /// at once, whether the test reads it or not.
  public void stopReading() throws IOException {
    // On its loop, so that no read is under way afterwards.
    sent(channel.eventLoop().submit(() -> channel.config().setAutoRead(false)));
  }

  /// Reads at least one byte; -1 when the controller has closed the connection.
  public int read(ByteBuffer to) throws IOException {
    try {
      if (!rest.hasRemaining()) {
        byte[] next = arrived.poll(20, TimeUnit.SECONDS);
        if (next == null) {
          throw new IOException("nothing came in 20s");
        }
        if (next.length == 0) { // Nothing that arrives is empty.
          arrived.add(END);
          return -1;
        }
        rest = ByteBuffer.wrap(next);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    int size = Math.min(to.remaining(), rest.remaining());
    to.put(rest.slice(rest.position(), size));
    rest.position(rest.position() + size);
    return size;
  }

  /// Reads one whole frame.
  public ByteBuffer nextFrame() throws IOException {
    ByteBuffer length = fill(ByteBuffer.allocate(4));
    ByteBuffer frame = ByteBuffer.allocate(4 + length.getInt(0)).putInt(length.getInt(0));
    return fill(frame).flip();
  }

  private ByteBuffer fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (read(buffer) < 0) {
        throw new IOException("the controller closed the connection");
      }
    }
    return buffer;
  }

  @Override
  public void close() {
    channel.close().awaitUninterruptibly();
  }

  private static void sent(io.netty.util.concurrent.Future<?> sending) throws IOException {
    if (!sending.awaitUninterruptibly().isSuccess()) {
      throw new IOException(sending.cause());
    }
  }

  private final class Arrivals extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      arrived.add(ByteBufUtil.getBytes(bytes));
      bytes.release();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      arrived.add(END);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      var _ = ctx.close();
    }
  }
}
