package io.easyfaas.common.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.TooLongHttpHeaderException;

/// Parses requests; knows whether a head has begun, and bounds what one costs: its bytes, and its
/// headers, of which each costs a hundred times its shortest form. Confined to the connection's
/// event loop.
final class RequestDecoder extends HttpRequestDecoder {
  /// The longest request line and the longest rest of a head, each.
  static final int MAX_HEAD_BYTES = 16 * 1024;

  private static final int MAX_HEADERS = 128;

  private boolean inHead;
  private boolean endedInHead;

  RequestDecoder() {
    super(
        new HttpDecoderConfig()
            .setMaxChunkSize(BodyCollector.MAX_READ_BYTES)
            .setMaxInitialLineLength(MAX_HEAD_BYTES)
            .setMaxHeaderSize(MAX_HEAD_BYTES)
            .setHeadersFactory(bounded(DefaultHttpHeadersFactory.headersFactory()))
            .setTrailersFactory(bounded(DefaultHttpHeadersFactory.trailersFactory())));
  }

  /// Whether bytes of a head are here and its end is not. Asked between requests only.
  boolean hasPartOfHead() {
    return inHead || endedInHead || actualReadableBytes() > 0;
  }

  /// The head that had begun was passed on.
  void headIsWhole() {
    inHead = false;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof ChannelInputShutdownEvent) {
      endedInHead = hasPartOfHead(); // Of which nothing is left after this.
    }
    super.userEventTriggered(ctx, event);
  }

  @Override
  protected HttpMessage createMessage(String[] initialLine) throws Exception {
    inHead = true;
    return super.createMessage(initialLine);
  }

  private static HttpHeadersFactory bounded(DefaultHttpHeadersFactory factory) {
    return new HttpHeadersFactory() {
      @Override
      public HttpHeaders newHeaders() {
        return new BoundedHeaders(factory);
      }

      @Override
      public HttpHeaders newEmptyHeaders() {
        return new BoundedHeaders(factory);
      }
    };
  }

  private static final class BoundedHeaders extends DefaultHttpHeaders {
    private int count;

    BoundedHeaders(DefaultHttpHeadersFactory factory) {
      super(factory.getNameValidator(), factory.getValueValidator());
    }

    @Override
    public HttpHeaders add(CharSequence name, Object value) {
      if (++count > MAX_HEADERS) {
        throw new TooLongHttpHeaderException("more than " + MAX_HEADERS + " headers");
      }
      return super.add(name, value);
    }
  }
}
