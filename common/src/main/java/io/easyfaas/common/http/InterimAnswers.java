package io.easyfaas.common.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;

/// Drops what a server says before its answer (RFC 9110 §15.2), as `100 Continue`. Confined to the
/// connection's event loop.
final class InterimAnswers extends ChannelInboundHandlerAdapter {
  private boolean inInterim;

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HttpResponse head) {
      inInterim = head.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    }
    if (!inInterim) {
      ctx.fireChannelRead(message);
      return;
    }
    ReferenceCountUtil.release(message);
    if (message instanceof LastHttpContent) {
      inInterim = false;
    }
  }
}
