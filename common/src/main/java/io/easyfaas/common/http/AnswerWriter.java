package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the answer to one request from the thread that made it. It is in memory; one that is
/// written as it comes goes through {@link Exchange}. A long one waits for room, on its own thread,
/// and is refused when there is none: many clients may ask and take nothing.
///
/// @param budget that the answer is in until its client has taken it
/// @param turns of the server's requests
/// @param isHeadOnly whether the request was HEAD: the head then says how long the body would be
///   (RFC 9110 §9.3.2)
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
record AnswerWriter(
    ChannelHandlerContext context, ByteBudget budget, Turns turns, boolean isHeadOnly) {
  private static final Logger LOG = LoggerFactory.getLogger(AnswerWriter.class);
  // Short: what waits lies on the heap.
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /// Writes an answer, once there is room for it. Blocks as long.
  ///
  /// @param keepAlive whether the connection stays open after it
  /// @param closing how it closes otherwise
  void write(HttpResponse response, boolean keepAlive, ChannelFutureListener closing) {
    ChannelFuture written = context.writeAndFlush(whole(response, keepAlive));
    if (!keepAlive) {
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
    if (isHeadOnly) {
      return answer.replace(Unpooled.EMPTY_BUFFER);
    }
    return answer.content().readableBytes() > ByteBudget.FREE_BYTES
        ? owned(answer, keepAlive)
        : answer;
  }

  private FullHttpResponse owned(FullHttpResponse answer, boolean keepAlive) {
    int size = answer.content().readableBytes();
    Reservation room = budget.open(ByteKind.ANSWER, Admission.client(context.channel()));
    try {
      if (reserve(room, size)) {
        return answer.replace(
            OwnedBytes.empty(context.alloc(), room, size).writeBytes(answer.content()));
      }
      HttpResponse noRoom = HttpResponse.error(ErrorCode.UNAVAILABLE, room.shortage(size));
      return NettyHttp.response(noRoom, keepAlive);
    } catch (OutOfMemoryError e) {
      return NettyHttp.response(HttpResponse.error(e), keepAlive);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return NettyHttp.response(HttpResponse.error(e), keepAlive);
    }
  }

  /// Reserves room, at once or within its patience. Few wait: who finds others waiting is refused.
  private boolean reserve(Reservation room, int size) throws InterruptedException {
    if (room.grow(size)) {
      return true;
    }
    if (!turns.mayAnswerWait()) {
      room.refuse();
      return false;
    }
    try {
      return room.growWithin(size, PATIENCE);
    } finally {
      turns.answerWaited();
    }
  }

  private static HttpResponse notHttp(HttpResponse response, IllegalArgumentException cause) {
    LOG.error("an answer with status {} is not HTTP", response.status(), cause);
    return HttpResponse.error(cause);
  }
}
