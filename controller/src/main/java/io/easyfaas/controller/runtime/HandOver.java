package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.IntegerUnixChannelOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The first bytes of a connection from the launcher, see protocol.md §1: a descriptor, then whose
/// it and the connection are. Confined to the loop; gone from the pipeline when that is known.
///
/// Netty gives either descriptors or bytes. One message is read as a descriptor, all that follows
/// as bytes; what comes behind the greeting is the runner's already.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class HandOver extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);
  private static final byte[] MAGIC = "EFCH".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int TOKEN_BYTES = 16;
  private static final int GREETING_BYTES = 24;
  private static final int MESSAGES_PER_READ = 16; // Netty's own choice.
  // SOL_SOCKET and its number, of Linux 6.16 and later.
  private static final ChannelOption<Integer> SO_PASSRIGHTS =
      new IntegerUnixChannelOption("SO_PASSRIGHTS", 1, 83);

  private final ChannelListener listener;
  private final EpollDomainSocketChannel channel;
  private final FrameBuffers buffers;
  private final ByteBuf greeting = Unpooled.buffer(GREETING_BYTES, GREETING_BYTES);
  private final Future<?> tooLate;
  private @Nullable FileDescriptor brought;

  /// @param patience how long the greeting may take
  HandOver(ChannelListener listener, EpollDomainSocketChannel channel, Duration patience) {
    this.listener = listener;
    this.channel = channel;
    this.buffers = new FrameBuffers(listener.loop().frames);
    buffers.maxMessagesPerRead(1);
    channel.config().setRecvByteBufAllocator(buffers);
    channel.config().setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS);
    tooLate =
        channel
            .eventLoop()
            .schedule(() -> refuse("says nothing"), patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof FileDescriptor descriptor) {
      brought = descriptor;
      channel.config().setReadMode(DomainSocketReadMode.BYTES);
      return;
    }
    ByteBuf bytes = (ByteBuf) message;
    greeting.writeBytes(bytes, Math.min(greeting.writableBytes(), bytes.readableBytes()));
    if (greeting.isWritable()) {
      bytes.release();
      return;
    }
    buffers.maxMessagesPerRead(MESSAGES_PER_READ);
    takeNoDescriptors();
    if (brought == null || !isKnown()) {
      bytes.release();
      refuse("is not a launcher's");
      return;
    }
    if (!handOver(brought)) {
      bytes.release();
      LOG.debug("{}: a connection of a sandbox that has ended; closed", listener.socket());
      channel.close();
      return;
    }
    ctx.fireChannelRead(bytes);
    ctx.pipeline().remove(this);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    ctx.pipeline().remove(this);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    tooLate.cancel(false);
    listener.greeted();
    close(brought);
    brought = null;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    refuse(String.valueOf(cause.getMessage()));
  }

  /// Nobody can send descriptors here from now on: the kernel would close them where they are read
  /// over, on this loop, and to close one can take long. An older kernel does not know how; there
  /// it is the sandbox's filter alone that keeps a socket from lingering, see launcher.md.
  private void takeNoDescriptors() {
    try {
      channel.config().setOption(SO_PASSRIGHTS, 0);
    } catch (ChannelException e) {
      LOG.debug("{}: descriptors can be sent to it: {}", listener.socket(), e.getMessage());
    }
  }

  /// Returns whether it was expected. It no longer is when its sandbox ended while it waited here.
  private boolean handOver(FileDescriptor descriptor) {
    byte[] token = new byte[TOKEN_BYTES];
    greeting.getBytes(GREETING_BYTES - TOKEN_BYTES, token);
    ChannelKind kind = kind();
    Generation generation = kind == null ? null : listener.take(kind, token);
    if (kind == null || generation == null) {
      return false;
    }
    brought = null;
    switch (kind) {
      case RUNNER -> generation.takeRunner(channel, descriptor);
      case LISTENER -> generation.takeListener(channel, descriptor);
    }
    return true;
  }

  private boolean isKnown() {
    for (int i = 0; i < MAGIC.length; i++) {
      if (greeting.getByte(i) != MAGIC[i]) {
        return false;
      }
    }
    return greeting.getByte(MAGIC.length) == VERSION && kind() != null;
  }

  private @Nullable ChannelKind kind() {
    return ChannelKind.of(greeting.getByte(MAGIC.length + 1));
  }

  private void refuse(String why) {
    LOG.warn("{}: a connection {}; closed", listener.socket(), why);
    channel.close();
  }

  private static void close(@Nullable FileDescriptor descriptor) {
    if (descriptor != null) {
      try {
        descriptor.close();
      } catch (IOException e) {
        LOG.warn("close a descriptor: {}", e.getMessage());
      }
    }
  }
}
