package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The request of a connection that is being answered, and the way to answer it: whole by one of
/// `answer`, or in parts by `begin`, `part` and `end`. An answer that cannot be completed is broken
/// off, which the client sees from the connection's end (RFC 9112 §8).
///
/// The request is read on the connection's event loop. It is answered once, on any thread, one part
/// after the other; given on the loop there is no hop. What nobody reads any more is dropped.
///
/// One object serves all requests of a connection, one after the other, so that a request costs
/// none.
public final class Exchange {
  private final LoopRequests connection;
  private final ChannelHandlerContext context;
  private final AtomicBoolean draining;
  private final WholeAnswer whole = new WholeAnswer();
  private @Nullable FullHttpRequest request;
  private @Nullable Runnable whenLeft;
  private boolean bodyTaken;
  private boolean chunked;
  private boolean endsWithConnection;
  private boolean hasNoBody;
  private volatile Persistence persistence = Persistence.KEEP;

  Exchange(LoopRequests connection, ChannelHandlerContext context, AtomicBoolean draining) {
    this.draining = draining;
    this.connection = connection;
    this.context = context;
  }

  /// The next request is looked at. On the loop.
  void next(FullHttpRequest message) {
    request = message;
    bodyTaken = false;
    persistence = Persistence.of(message);
  }

  /// The client has left, or the request is answered. On the loop.
  @Nullable Runnable close() {
    Runnable action = whenLeft;
    whenLeft = null;
    request = null;
    return action;
  }

  /// The method.
  public HttpMethod method() {
    return request().method();
  }

  /// Path and query as on the wire.
  public String target() {
    return request().uri();
  }

  /// The headers.
  public HttpHeaders headers() {
    return request().headers();
  }

  /// The request without its body, as the blocking side knows it.
  public HttpRequest head() {
    return NettyHttp.head(request());
  }

  /// The body, which belongs to the caller from now on. Empty when it was taken already. Only by
  /// who has taken the request.
  public ByteBuf takeBody() {
    if (bodyTaken) {
      return Unpooled.EMPTY_BUFFER;
    }
    bodyTaken = true;
    return request().content();
  }

  /// Where answers get their buffers. Any thread.
  public ByteBufAllocator allocator() {
    return context.alloc();
  }

  /// What the connection does after the answer, for who encodes it. Any thread.
  public Persistence persistence() {
    return draining.get() ? Persistence.CLOSE : persistence;
  }

  /// Has something run on the loop when the client leaves before its answer is complete.
  public void whenLeft(Runnable action) {
    whenLeft = action;
  }

  /// Answers with bytes as they go over the wire, head and body.
  ///
  /// @param encoded belongs to the exchange from now on
  /// @param after what the head says about the connection, as {@link #persistence} told
  public void answer(ByteBuf encoded, Persistence after) {
    if (context.executor().inEventLoop()) {
      answerOnLoop(encoded, after);
    } else {
      onLoop(() -> answerOnLoop(encoded, after), encoded);
    }
  }

  private void answerOnLoop(ByteBuf encoded, Persistence after) {
    if (connection.isAwaited()) {
      connection.finish(whole.of(encoded, after), after);
    } else {
      encoded.release();
    }
  }

  /// Answers with a document.
  ///
  /// @throws IllegalArgumentException when a header is one that HTTP does not allow
  public void answer(HttpResponse response) {
    answer(response.status(), response.headers(), Unpooled.wrappedBuffer(response.body()));
  }

  /// Answers with a body that is in a buffer.
  ///
  /// @param body belongs to the exchange from now on
  /// @throws IllegalArgumentException when a header is one that HTTP does not allow; the body is
  ///   released then
  public void answer(int status, Map<String, String> headers, ByteBuf body) {
    Persistence after = persistence();
    FullHttpResponse message;
    try {
      message = NettyHttp.response(status, headers, body, after);
    } catch (IllegalArgumentException e) {
      body.release();
      throw e;
    }
    onLoop(
        () -> {
          if (!connection.isAwaited()) {
            body.release();
          } else if (request().method().equals(HttpMethod.HEAD)) {
            // The head says how long the body would be (RFC 9110 §9.3.2).
            connection.finish(message.replace(Unpooled.EMPTY_BUFFER), after);
            body.release();
          } else {
            connection.finish(message, after);
          }
        },
        body);
  }

  /// Begins an answer in parts.
  ///
  /// @param length bytes of all parts, negative when nobody knows. Then the parts travel as chunks,
  ///   or, to a client of HTTP/1.0, up to the end of the connection
  public void begin(int status, Map<String, String> headers, long length) {
    onLoop(
        () -> {
          if (connection.isAwaited()) {
            beginOnLoop(status, headers, length);
          }
        },
        Unpooled.EMPTY_BUFFER);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
  private void beginOnLoop(int status, Map<String, String> headers, long length) {
    boolean understandsChunks = request().protocolVersion().equals(HttpVersion.HTTP_1_1);
    hasNoBody = request().method().equals(HttpMethod.HEAD); // RFC 9110 §9.3.2.
    chunked = length < 0 && understandsChunks && !hasNoBody;
    endsWithConnection = length < 0 && !understandsChunks && !hasNoBody;
    persistence = endsWithConnection ? Persistence.CLOSE : persistence();
    connection.write(NettyHttp.head(status, headers, length, chunked, persistence));
  }

  /// Adds bytes to an answer that has begun. They are sent in order, at the end of the turn.
  ///
  /// @param bytes stay the caller's to release
  /// @param taken is told on the loop how many bytes have left: all of them, once, unless the
  ///   client is gone
  public void part(ByteBuf bytes, IntConsumer taken) {
    ByteBuf mine = bytes.retainedSlice();
    onLoop(() -> partOnLoop(mine, taken), mine);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
  private void partOnLoop(ByteBuf bytes, IntConsumer taken) {
    if (!connection.isAwaited()) {
      bytes.release();
      return;
    }
    int size = bytes.readableBytes();
    if (hasNoBody) {
      bytes.release();
      taken.accept(size);
      return;
    }
    connection
        .write(new DefaultHttpContent(bytes))
        .addListener(written -> {
          if (written.isSuccess()) {
            taken.accept(size);
          }
        });
  }

  /// Ends an answer that has begun.
  ///
  /// @param trailers what came out at the end; sent with chunks only
  public void end(Map<String, String> trailers) {
    onLoop(
        () -> {
          if (connection.isAwaited()) {
            connection.finish(last(trailers), persistence);
          }
        },
        Unpooled.EMPTY_BUFFER);
  }

  private LastHttpContent last(Map<String, String> trailers) {
    if (!chunked || trailers.isEmpty()) {
      return LastHttpContent.EMPTY_LAST_CONTENT;
    }
    LastHttpContent last = new DefaultLastHttpContent();
    trailers.forEach(last.trailingHeaders()::set);
    return last;
  }

  /// Ends the connection: what was sent of the answer is all there will be.
  public void breakOff() {
    onLoop(this::breakOffOnLoop, Unpooled.EMPTY_BUFFER);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // It is the end.
  private void breakOffOnLoop() {
    if (!connection.isAwaited()) {
      return;
    }
    if (endsWithConnection) {
      // An orderly end would say that the answer is complete; a reset does not.
      context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
    }
    context.flush();
    context.close();
  }

  private void onLoop(Runnable work, ByteBuf bytes) {
    if (context.executor().inEventLoop()) {
      work.run();
      return;
    }
    try {
      context.executor().execute(work);
    } catch (RejectedExecutionException _) {
      bytes.release(); // The engine is stopping; the connection is closed.
    }
  }

  private FullHttpRequest request() {
    FullHttpRequest current = request;
    if (current == null) {
      throw new IllegalStateException("no request is being answered");
    }
    return current;
  }
}
