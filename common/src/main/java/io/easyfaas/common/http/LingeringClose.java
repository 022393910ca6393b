package io.easyfaas.common.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Closes a connection after the last answer to a client that may still be sending. Closing at once
/// would reset the connection, and the client would lose the answer that says why (RFC 9112 §9.6).
/// What it still sends is read and dropped, for 10 s at most.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class LingeringClose implements ChannelFutureListener {
  private static final int SECONDS = 10;

  private final ReadGate gate;
  private final ConnectionLimit connections;

  /// @param gate of the connection; whoever reads from it drops what comes from now on
  /// @param connections the connection makes way for new ones from now on
  LingeringClose(ReadGate gate, ConnectionLimit connections) {
    this.gate = gate;
    this.connections = connections;
  }

  @Override
  public void operationComplete(ChannelFuture written) {
    Channel channel = written.channel();
    if (!written.isSuccess()
        || !(channel instanceof DuplexChannel duplex)
        || !channel.isActive()
        || duplex.isInputShutdown()) {
      channel.close();
      return;
    }
    connections.unasking(channel);
    gate.openForAll();
    duplex.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    Future<?> timer =
        channel.eventLoop().schedule(() -> channel.close(), SECONDS, TimeUnit.SECONDS);
    channel.closeFuture().addListener(_ -> timer.cancel(false));
  }
}
