package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/// Sends the body of a request whose head was sent, from the thread that makes the request. Two
/// pieces at most are in memory: a server that reads slowly slows down whoever reads the stream.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class BodySender {
  private static final int PIECE_BYTES = 64 * 1024;

  private BodySender() {}

  /// Sends a body and closes its stream. Returns early when there is nobody to send to any more:
  /// the connection broke, or the answer is there.
  ///
  /// @param answered whether the answer is there
  /// @param timeout the longest wait for the server to take a piece
  /// @throws IOException when the stream cannot be read, or has another length than it says
  static void send(
      Channel channel, HttpBody.Stream body, BooleanSupplier answered, Duration timeout)
      throws IOException, TimeoutException, InterruptedException {
    try (InputStream bytes = body.stream()) {
      ChannelFuture before = channel.newSucceededFuture();
      long sent = 0;
      while (!answered.getAsBoolean()) {
        ByteBuf piece = read(channel, bytes);
        if (!piece.isReadable()) {
          piece.release();
          checkLength(body, sent);
          channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
          return;
        }
        sent += piece.readableBytes();
        ChannelFuture written = channel.writeAndFlush(new DefaultHttpContent(piece));
        if (!before.await(timeout.toMillis())) {
          throw new TimeoutException("nothing more of the body was taken");
        }
        if (!before.isSuccess()) {
          return;
        }
        before = written;
      }
    }
  }

  /// The next piece; empty at the end.
  private static ByteBuf read(Channel channel, InputStream bytes) throws IOException {
    ByteBuf piece = channel.alloc().directBuffer(PIECE_BYTES, PIECE_BYTES);
    try {
      piece.writeBytes(bytes, PIECE_BYTES);
      return piece;
    } catch (IOException | RuntimeException e) {
      piece.release();
      throw e;
    }
  }

  private static void checkLength(HttpBody.Stream body, long sent) throws IOException {
    if (body.length() != HttpBody.UNKNOWN && sent != body.length()) {
      throw new IOException("body of " + sent + " bytes (expected: " + body.length() + ")");
    }
  }
}
