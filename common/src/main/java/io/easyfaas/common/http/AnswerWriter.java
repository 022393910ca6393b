package io.easyfaas.common.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the answer to one request from the thread that made it. It is in memory; one that is
/// written as it comes goes through {@link Exchange}.
///
/// @param isHeadOnly whether the request was HEAD: the head then says how long the body would be
///   (RFC 9110 §9.3.2)
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
record AnswerWriter(ChannelHandlerContext context, boolean isHeadOnly) {
  private static final Logger LOG = LoggerFactory.getLogger(AnswerWriter.class);

  /// Writes an answer. Returns at once.
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
    return isHeadOnly ? answer.replace(Unpooled.EMPTY_BUFFER) : answer;
  }

  private static HttpResponse notHttp(HttpResponse response, IllegalArgumentException cause) {
    LOG.error("an answer with status {} is not HTTP", response.status(), cause);
    return HttpResponse.error(cause);
  }
}
