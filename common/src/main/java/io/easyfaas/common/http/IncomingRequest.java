package io.easyfaas.common.http;

import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A request whose head is here and whose body is coming. Confined to the connection's event loop.
final class IncomingRequest {
  // Of a chunked body: how far ahead of it memory is reserved. What is being read fits in half.
  private static final long STEP = 2L * OwnedBytes.READ_BYTES;

  // Of a streamed body that is short: what becomes of one of its bytes in memory, at most.
  private static final int HEAP_A_BYTE = 16;

  private final HttpRequest head;
  private final BodyRule rule;
  private final long length;
  private final long limit;
  private final @Nullable Reservation room;
  private final boolean isAsked;

  private @Nullable BodyCollector whole;
  private @Nullable BodyStream stream;
  private long reserved;
  private long received;

  /// @param length of the body; {@link HttpBody#UNKNOWN} when it is chunked
  /// @param limit the longest body that is taken
  /// @param room closed with the body, or with its stream; null when the body is short
  IncomingRequest(
      HttpRequest head, BodyRule rule, long length, long limit, @Nullable Reservation room) {
    this.head = head;
    this.rule = rule;
    this.length = length;
    this.limit = limit;
    this.room = room;
    this.isAsked = HttpUtil.is100ContinueExpected(head);
    head.headers().remove(HttpHeaderNames.EXPECT);
  }

  HttpRequest head() {
    return head;
  }

  boolean isStreamed() {
    return rule.isStreamed();
  }

  /// Why there is the limit, for people.
  String why() {
    return rule.why();
  }

  /// Whether the client waits to be asked for the body.
  boolean isAsked() {
    return isAsked;
  }

  /// Whether the client still waits for that, because nobody has read the body yet.
  boolean isUnasked() {
    BodyStream reading = stream;
    return reading != null && reading.isUnasked();
  }

  /// The longest body that is taken.
  long limit() {
    return limit;
  }

  /// Bytes of the body so far.
  long received() {
    return received;
  }

  /// Whether the body is longer than it may be, as far as is known.
  boolean isTooLong() {
    return Math.max(length, received) > limit;
  }

  /// Reserves what is needed before more is read.
  ///
  /// @return bytes that are missing; 0 when they are reserved
  long claim() {
    if (room == null) {
      return 0;
    }
    long missing = missing(room);
    if (missing > 0 && !room.grow(missing)) {
      return missing;
    }
    reserved += missing;
    return 0;
  }

  /// What {@link #claim} missed was reserved meanwhile.
  void claimed(long bytes) {
    reserved += bytes;
  }

  @Nullable Reservation room() {
    return room;
  }

  /// Starts a body that is handed on as it comes. The reservation is closed with the stream.
  ///
  /// @param ask asks the client for the body
  StreamedRequest start(EventExecutor loop, ReadGate gate, Runnable ask) {
    Reservation mine = room;
    BodyStream body =
        new BodyStream(
            loop,
            gate,
            length == HttpBody.UNKNOWN ? BodyStream.CAPACITY : length,
            isAsked ? ask : null,
            mine == null ? () -> {} : () -> mine.close());
    stream = body;
    return new StreamedRequest(head, body, length);
  }

  /// Adds a piece, which stays the caller's to release.
  ///
  /// @return the request when it is whole and nobody has it yet
  @Nullable FullHttpRequest add(ByteBufAllocator allocator, ByteBuf piece, boolean isLast) {
    received += piece.readableBytes();
    BodyStream reading = stream;
    if (reading != null) {
      reading.offer(piece, isLast);
      stream = isLast ? null : reading;
      return null;
    }
    if (isLast && whole == null && room == null) {
      return full(copy(allocator, piece));
    }
    BodyCollector collector = whole == null ? new BodyCollector(allocator, room) : whole;
    whole = collector;
    collector.add(piece, Math.max(0, length - received));
    if (!isLast) {
      return null;
    }
    whole = null;
    if (room != null && reserved > received) {
      room.shrink(reserved - received); // Of a chunked body: nothing more comes.
    }
    return full(collector.finish());
  }

  /// A short body, away from the read buffer, which it would keep for as long as its call waits.
  private static ByteBuf copy(ByteBufAllocator allocator, ByteBuf body) {
    int size = body.readableBytes();
    return size == 0 ? Unpooled.EMPTY_BUFFER : allocator.directBuffer(size, size).writeBytes(body);
  }

  /// The body breaks off.
  ///
  /// @param answer what the client is told
  /// @return whether somebody reads the body and will tell
  boolean fail(IOException cause, @Nullable HttpResponse answer) {
    BodyStream reading = stream;
    BodyCollector collecting = whole;
    whole = null;
    if (collecting != null) {
      collecting.release();
    }
    if (reading != null) {
      reading.fail(cause, answer);
      return true;
    }
    if (room != null) {
      room.close();
    }
    return false;
  }

  private long missing(Reservation from) {
    if (rule.isStreamed()) {
      long most = BodyStream.CAPACITY + rule.keptBytes();
      return (length == HttpBody.UNKNOWN ? most : Math.min(most, length * HEAP_A_BYTE)) - reserved;
    }
    if (length != HttpBody.UNKNOWN) {
      // A body that would need more than there is has it all for itself.
      return Math.min(length, from.most()) - reserved;
    }
    long ahead = Math.min(limit, received + STEP / 2);
    return reserved >= ahead ? 0 : Math.min(limit, received + STEP) - reserved;
  }

  private FullHttpRequest full(ByteBuf body) {
    if (length == HttpBody.UNKNOWN) {
      HttpUtil.setTransferEncodingChunked(head, false);
      head.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
    }
    return new DefaultFullHttpRequest(
        head.protocolVersion(),
        head.method(),
        head.uri(),
        body,
        head.headers(),
        EmptyHttpHeaders.INSTANCE);
  }
}
