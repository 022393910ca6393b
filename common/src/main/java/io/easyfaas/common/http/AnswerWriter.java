package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.InputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the answer to one request from the thread that made it.
///
/// A stream is written in pieces, of which two at most are in memory: a client that reads slowly
/// slows down whoever reads the stream.
///
/// @param isHeadOnly whether the request was HEAD: the head then says how long the body would be
///   (RFC 9110 §9.3.2)
/// @param isChunkable whether the client understands chunks
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
record AnswerWriter(ChannelHandlerContext context, boolean isHeadOnly, boolean isChunkable) {
  private static final Logger LOG = LoggerFactory.getLogger(AnswerWriter.class);
  private static final int PIECE_BYTES = 64 * 1024;

  /// Writes an answer. Blocks while a streamed body is written, as long as the client takes it.
  ///
  /// @param keepAlive whether the connection may stay open after it
  /// @param closing how it closes otherwise
  void write(HttpResponse response, boolean keepAlive, ChannelFutureListener closing) {
    boolean reusable =
        keepAlive && (isChunkable || response.content().length() != HttpBody.UNKNOWN);
    ChannelFuture written =
        switch (response.content()) {
          case HttpBody.Bytes _ -> context.writeAndFlush(whole(response, reusable));
          case HttpBody.Stream body -> stream(response, body, reusable);
        };
    if (!reusable) {
      written.addListener(closing);
    }
  }

  private FullHttpResponse whole(HttpResponse response, boolean keepAlive) {
    FullHttpResponse answer;
    try {
      answer = NettyHttp.response(response, keepAlive);
    } catch (IllegalArgumentException e) {
      answer = NettyHttp.response(notHttp(response, e), keepAlive);
    }
    return isHeadOnly ? answer.replace(Unpooled.EMPTY_BUFFER) : answer;
  }

  private ChannelFuture stream(HttpResponse response, HttpBody.Stream body, boolean keepAlive) {
    try (InputStream bytes = body.stream()) {
      context.write(NettyHttp.head(response, body.length(), isChunkable, keepAlive));
      if (!isHeadOnly) {
        copy(bytes, body.length());
      }
      return context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
    } catch (IllegalArgumentException e) {
      return context.writeAndFlush(NettyHttp.response(notHttp(response, e), keepAlive));
    } catch (IOException e) {
      // The head is out: only the connection's end can say that the body is not whole.
      LOG.warn("answer to {} breaks off: {}", context.channel(), e.getMessage());
      return context.close();
    }
  }

  private void copy(InputStream bytes, long length) throws IOException {
    ChannelFuture before = context.newSucceededFuture();
    long copied = 0;
    while (true) {
      ByteBuf piece = context.alloc().directBuffer(PIECE_BYTES, PIECE_BYTES);
      int size;
      try {
        size = piece.writeBytes(bytes, PIECE_BYTES);
      } catch (IOException | RuntimeException e) {
        piece.release();
        throw e;
      }
      if (size < 0) {
        piece.release();
        break;
      }
      copied += size;
      ChannelFuture written = context.writeAndFlush(new DefaultHttpContent(piece));
      if (!before.awaitUninterruptibly().isSuccess()) {
        throw new IOException("the client left", before.cause());
      }
      before = written;
    }
    if (length != HttpBody.UNKNOWN && copied != length) {
      throw new IOException("body: " + copied + " bytes (expected: " + length + ")");
    }
  }

  private static HttpResponse notHttp(HttpResponse response, IllegalArgumentException cause) {
    LOG.error("an answer with status {} is not HTTP", response.status(), cause);
    return HttpResponse.error(cause);
  }
}
