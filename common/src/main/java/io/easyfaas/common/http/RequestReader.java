package io.easyfaas.common.http;

import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Makes requests of their parts: a `FullHttpRequest` when the body is here, or, where the handler
/// says so, a {@link StreamedRequest} when the head is. Confined to the connection's event loop.
///
/// **Memory.** A body that did not come with its head is reserved before it is read: all of it, or
/// in steps when its length is not told. While there is no room the socket is not read, and nothing
/// is parsed of what came in the same go.
///
/// **Refusals.** A {@link Refusal} is passed on for what cannot become a request: 413 for a body
/// over the limit, 431 for a head that is too large, 417 for an expectation nobody can meet, 408
/// for what comes too slowly, 503 when there is no room in time, 400 for bytes that are not HTTP,
/// and what {@link RequestForm} says. Who reads the body already gets an {@link IOException}
/// instead, and its answer is replaced. What comes after a refusal is read and dropped.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class RequestReader extends ChannelInboundHandlerAdapter {
  private static final String LEFT = "the client left before the end of the body";

  // Of a body: so much, and its connection is no longer the next to make way.
  private static final long ENOUGH_TO_STAY = OwnedBytes.READ_BYTES;

  private final Admission admission;
  private final ReadGate gate;
  private final RequestDecoder decoder;
  private final ConnectionLimit connections;
  private final ReaderClock clock;
  private final RoomWait roomWait;

  private @Nullable IncomingRequest current;
  private @Nullable HttpRequest head; // Of the request that is being read.
  private boolean refused;
  private boolean hasAsked;
  private boolean isGuest; // While there are too many connections, see ConnectionLimit.

  /// @param connections is told whether this one asks for anything
  /// @param decoder of the same connection
  RequestReader(
      Admission admission,
      ReadGate gate,
      ConnectionLimit connections,
      RequestDecoder decoder,
      Deadlines deadlines) {
    this.connections = connections;
    this.admission = admission;
    this.gate = gate;
    this.decoder = decoder;
    this.clock = new ReaderClock(this, gate, admission, deadlines);
    this.roomWait = new RoomWait(gate, deadlines.room());
  }

  /// Whether part of a request is here.
  boolean isReading() {
    return current != null || decoder.hasPartOfHead();
  }

  /// Whether this request is being read.
  boolean isReading(IncomingRequest incoming) {
    return current == incoming;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    isGuest = ConnectionLimit.isGuest(ctx.channel());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      handle(ctx, message);
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!refused) {
      IncomingRequest incoming = current;
      if (incoming != null) {
        clock.bodyGoesOn(ctx, incoming);
        asks(ctx, false);
      } else if (decoder.hasPartOfHead()) {
        clock.headGoesOn(ctx, decoder.headBytes());
        asks(ctx, false);
      }
    }
    ctx.fireChannelReadComplete();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent
        && isReading()
        && !refused
        && !decoder.hasWaiting()) {
      refuse(
          ctx,
          LEFT,
          HttpResponse.error(ErrorCode.INVALID_REQUEST, "the request ends before it is whole"));
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop(new IOException(LEFT), null);
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    drop(new IOException("the connection is gone"), null);
  }

  private void handle(ChannelHandlerContext ctx, Object message) {
    if (refused) {
      return;
    }
    if (message instanceof Refusal refusal) {
      refuse(ctx, refusal.response());
      return;
    }
    if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
      boolean tooLong = part.decoderResult().cause() instanceof TooLongFrameException;
      refuse(
          ctx,
          tooLong
              ? HttpResponse.error(ErrorCode.HEAD_TOO_LARGE, RequestDecoder.HEAD_LIMITS)
              : HttpResponse.error(ErrorCode.INVALID_REQUEST, "not HTTP/1.1"));
      return;
    }
    if (message instanceof HttpRequest request) {
      begin(ctx, request);
    } else if (message instanceof HttpContent part && current != null) {
      take(ctx, current, part);
    }
  }

  private void begin(ChannelHandlerContext ctx, HttpRequest request) {
    decoder.headIsWhole();
    clock.headIsWhole();
    asks(ctx, true);
    head = request;
    HttpResponse wrong = RequestForm.refusal(request);
    if (wrong != null) {
      refuse(ctx, wrong);
      return;
    }
    isGuest = isGuest && connections.isFull();
    if (isGuest) {
      boolean isServed =
          admission.isAtHand(request)
              || connections.isServed(ctx.channel(), admission.account(ctx.channel(), request));
      if (!isServed) {
        refuse(ctx, HttpResponse.error(ErrorCode.UNAVAILABLE, connections.shortage()));
        return;
      }
      HttpUtil.setKeepAlive(request, false);
    }
    String expected = request.headers().get(HttpHeaderNames.EXPECT);
    IncomingRequest incoming = admission.admit(ctx.channel(), request);
    if (expected != null
        && !incoming.isAsked()
        && request.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
      refuse(ctx, HttpResponse.error(ErrorCode.EXPECTATION_FAILED, ""));
    } else if (incoming.isTooLong()) {
      refuse(ctx, tooLarge(incoming));
    } else {
      current = incoming;
      long missing = incoming.claim();
      if (missing == 0) {
        start(ctx, incoming);
      } else {
        hold(ctx, incoming, missing, () -> start(ctx, incoming));
      }
    }
  }

  private void asks(ChannelHandlerContext ctx, boolean now) {
    if (hasAsked != now) {
      hasAsked = now;
      if (now) {
        connections.asking(ctx.channel());
      } else {
        connections.unasking(ctx.channel());
      }
    }
  }

  private void start(ChannelHandlerContext ctx, IncomingRequest incoming) {
    if (incoming.isStreamed()) {
      ctx.fireChannelRead(incoming.start(ctx.executor(), gate, () -> askForBody(ctx)));
    } else if (incoming.isAsked()) {
      askForBody(ctx);
    }
  }

  private void take(ChannelHandlerContext ctx, IncomingRequest incoming, HttpContent part) {
    boolean isLast = part instanceof LastHttpContent;
    if (incoming.received() + part.content().readableBytes() > incoming.limit()) {
      refuse(ctx, tooLarge(incoming));
      return;
    }
    long before = incoming.received();
    FullHttpRequest whole = incoming.add(ctx.alloc(), part.content(), isLast);
    if (incoming.received() / ENOUGH_TO_STAY > before / ENOUGH_TO_STAY) {
      connections.getsOn(ctx.channel());
    }
    if (isLast) {
      current = null;
      head = null;
      asks(ctx, true);
    } else {
      long missing = incoming.claim();
      if (missing > 0) {
        hold(ctx, incoming, missing, () -> {});
      }
    }
    if (whole != null) {
      ctx.fireChannelRead(whole);
    }
  }

  /// Waits for room. Meanwhile nothing more is parsed.
  private void hold(
      ChannelHandlerContext ctx, IncomingRequest incoming, long missing, Runnable next) {
    Reservation room = incoming.room();
    if (room == null) {
      throw new IllegalStateException("a short body waits for room");
    }
    roomWait.start(
        ctx.executor(),
        room,
        missing,
        () -> {
          incoming.claimed(missing);
          next.run();
        },
        shortage -> refuse(ctx, HttpResponse.error(ErrorCode.UNAVAILABLE, shortage)));
  }

  private static void askForBody(ChannelHandlerContext ctx) {
    ctx.writeAndFlush(
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
  }

  private static HttpResponse tooLarge(IncomingRequest incoming) {
    return HttpResponse.error(
        ErrorCode.REQUEST_TOO_LARGE,
        "body is larger than the limit (expected: at most "
            + incoming.limit()
            + " bytes"
            + incoming.why()
            + ")");
  }

  /// Answers instead of whoever would have got the request, or whoever is reading its body.
  void refuse(ChannelHandlerContext ctx, HttpResponse response) {
    refuse(ctx, "refused with status " + response.status(), response);
  }

  private void refuse(ChannelHandlerContext ctx, String why, HttpResponse response) {
    refused = true;
    HttpResponse identified = response.identified(requestId());
    head = null;
    if (!drop(new IOException(why), identified)) {
      ctx.fireChannelRead(new Refusal(identified));
    }
  }

  private Optional<String> requestId() {
    HttpRequest request = head;
    return request == null ? Optional.empty() : NettyHttp.head(request).requestId();
  }

  /// Lets go of everything; true when the reader of a body will tell the client.
  private boolean drop(IOException cause, @Nullable HttpResponse answer) {
    IncomingRequest incoming = current;
    current = null;
    clock.stop();
    roomWait.stop();
    return incoming != null && incoming.fail(cause, answer);
  }
}
