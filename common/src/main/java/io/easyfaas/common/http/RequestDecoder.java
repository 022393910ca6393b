package io.easyfaas.common.http;

import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Parses requests, one at a time: the next when the one before is answered. Knows whether a head
/// has begun, and bounds what one costs: its bytes, and its headers, of which each costs a hundred
/// times its shortest form. Confined to the connection's event loop.
final class RequestDecoder extends HttpRequestDecoder {
  /// The longest request line and the longest rest of a head, each.
  static final int MAX_HEAD_BYTES = 16 * 1024;

  private static final int MAX_HEADERS = 128;

  /// Of a head, for people.
  static final String HEAD_LIMITS =
      "at most " + MAX_HEAD_BYTES + " bytes and " + MAX_HEADERS + " headers";

  private static final int LARGE_BUFFER_BYTES = 8 * 1024;
  private static final String NO_ROOM =
      "memory for requests and answers: no room for requests that wait for the one before";

  private final ReadGate gate;
  private final WaitingBytes waiting;
  private BooleanSupplier isNextHeldUp = () -> false;
  private @Nullable ChannelHandlerContext context;
  private boolean inMessage;
  private boolean inHead;
  private int headBytes;
  private boolean endedInHead;
  private boolean inputEnded;
  private boolean isRefused;

  /// @param gate of the connection
  /// @param waiting gets what comes before its turn
  RequestDecoder(ReadGate gate, WaitingBytes waiting) {
    super(
        new HttpDecoderConfig()
            .setMaxChunkSize(OwnedBytes.READ_BYTES)
            .setMaxInitialLineLength(MAX_HEAD_BYTES)
            .setMaxHeaderSize(MAX_HEAD_BYTES)
            .setHeadersFactory(bounded(DefaultHttpHeadersFactory.headersFactory()))
            .setTrailersFactory(bounded(DefaultHttpHeadersFactory.trailersFactory())));
    this.gate = gate;
    this.waiting = waiting;
  }

  /// @param supplier whether the next request has to wait
  void heldUpWhile(BooleanSupplier supplier) {
    isNextHeldUp = supplier;
  }

  /// Whether more requests, or parts of one, wait for their turn.
  boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  /// The turn of what waits may have come.
  void goOn() {
    ChannelHandlerContext ctx = context;
    if (ctx == null || ctx.isRemoved() || isHeldUp()) {
      return;
    }
    ByteBuf bytes = waiting.take();
    if (bytes == null) {
      return;
    }
    // As if they came now.
    ctx.pipeline().fireChannelRead(bytes);
    waiting.used();
    ctx.fireChannelReadComplete();
    if (inputEnded && waiting.isEmpty()) {
      ctx.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }

  /// Whether what comes next has to wait: it must not overtake what waits already.
  private boolean isHeldUp() {
    return gate.isHoldingUp() || (!inMessage && isNextHeldUp.getAsBoolean());
  }

  /// Drops what waits: no request is answered any more.
  void giveUp() {
    waiting.drop();
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  protected void handlerRemoved0(ChannelHandlerContext ctx) throws Exception {
    waiting.drop();
    super.handlerRemoved0(ctx);
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
    if (isRefused) {
      in.skipBytes(in.readableBytes());
      return;
    }
    if (hasWaiting() || isHeldUp()) {
      waiting.add(ctx.alloc(), in);
      // Within a message it waits for the room of its body, or has it.
      if (!inMessage && !waiting.reserve()) {
        isRefused = true;
        waiting.drop();
        out.add(new Refusal(HttpResponse.error(ErrorCode.UNAVAILABLE, NO_ROOM)));
      }
      return;
    }
    super.decode(ctx, in, out);
    if (!out.isEmpty() && out.getLast() instanceof LastHttpContent) {
      inMessage = false;
      headBytes = 0; // What came of the next is there to be counted.
    }
  }

  /// Whether bytes of a head are here and its end is not. Asked between requests only.
  boolean hasPartOfHead() {
    return inHead || endedInHead || actualReadableBytes() > 0;
  }

  /// Bytes of the head that is here in part, and of what came with them.
  int headBytes() {
    return Math.max(headBytes, actualReadableBytes());
  }

  /// The head that had begun was passed on.
  void headIsWhole() {
    inHead = false;
    headBytes = 0;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (message instanceof ByteBuf bytes) {
      headBytes += bytes.readableBytes();
      super.channelRead(ctx, fitting(ctx, bytes));
    } else {
      super.channelRead(ctx, message);
    }
  }

  /// What is here of a head keeps the buffer that it was read into: not one of many times its size.
  private static ByteBuf fitting(ChannelHandlerContext ctx, ByteBuf bytes) {
    int size = bytes.readableBytes();
    if (bytes.capacity() <= LARGE_BUFFER_BYTES || size > bytes.capacity() / 4) {
      return bytes;
    }
    try {
      return ctx.alloc().directBuffer(size, size).writeBytes(bytes);
    } finally {
      bytes.release();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof ChannelInputShutdownEvent) {
      inputEnded = true;
      if (hasWaiting()) { // It ends after that, see goOn.
        ctx.fireUserEventTriggered(event);
        return;
      }
      endedInHead = hasPartOfHead(); // Of which nothing is left after this.
    }
    super.userEventTriggered(ctx, event);
  }

  @Override
  protected HttpMessage createMessage(String[] initialLine) throws Exception {
    inMessage = true;
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
