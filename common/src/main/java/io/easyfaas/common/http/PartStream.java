package io.easyfaas.common.http;

import io.easyfaas.common.invoke.CallSink;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// The answer of an exchange as a stream, for a thread that writes it: it waits for the client.
/// What fits in one part is sent whole, with its length. {@link WriteWatch} ends the connection of
/// a client that takes too little, which wakes the thread by {@link #clientLeft}. Used by one
/// thread, but for {@link #clientLeft}.
public final class PartStream extends OutputStream {
  private static final int PART_BYTES = 64 * 1024;
  private static final int WINDOW_PARTS = CallSink.WINDOW_BYTES / PART_BYTES;

  private final Exchange exchange;
  private final Map<String, String> headers;
  private final Semaphore window = new Semaphore(WINDOW_PARTS);
  private @Nullable ByteBuf part;
  private boolean begun;
  private volatile boolean clientGone;

  /// Creates a stream; nothing is sent yet.
  ///
  /// @param headers of the answer, whose status is 200
  public PartStream(Exchange exchange, Map<String, String> headers) {
    this.exchange = exchange;
    this.headers = headers;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int from = offset;
    int left = length;
    while (left > 0) {
      ByteBuf open = open();
      int size = Math.min(left, PART_BYTES - open.readableBytes());
      open.writeBytes(bytes, from, size);
      from += size;
      left -= size;
      if (open.readableBytes() == PART_BYTES) {
        send(open);
      }
    }
  }

  /// Sends the rest and ends the answer.
  @Override
  public void close() throws IOException {
    ByteBuf rest = open();
    part = null;
    if (!begun) {
      exchange.answer(200, headers, rest);
      return;
    }
    exchange.part(rest, _ -> {});
    rest.release();
    exchange.end(Map.of());
  }

  /// Gives up: what was sent is broken off. Does nothing to an answer of which nothing was sent.
  ///
  /// @return whether something was sent
  public boolean drop() {
    ByteBuf unsent = part;
    part = null;
    if (unsent != null) {
      unsent.release();
    }
    if (begun) {
      exchange.breakOff();
    }
    return begun;
  }

  /// Wakes the writer, whose next write fails. Any thread.
  public void clientLeft() {
    clientGone = true;
    window.release(WINDOW_PARTS);
  }

  /// Whether nobody reads any more. Any thread.
  public boolean isClientGone() {
    return clientGone;
  }

  private ByteBuf open() {
    ByteBuf open = part;
    if (open == null) {
      open = exchange.allocator().directBuffer(PART_BYTES);
      part = open;
    }
    return open;
  }

  private void send(ByteBuf full) throws IOException {
    try {
      window.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while writing an answer", e);
    }
    if (clientGone) {
      throw new IOException("the client has left");
    }
    if (!begun) {
      begun = true;
      exchange.begin(200, headers, -1);
    }
    part = null;
    exchange.part(full, _ -> window.release());
    full.release();
  }
}
