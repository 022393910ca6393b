package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/// Cuts a byte stream into frames, see protocol.md §2. Not thread-safe; owned by one connection.
///
/// A frame that lies whole in the bytes just read is handed over in place. One that does not is
/// collected: the first 64 KiB of it unasked, so a length alone costs no memory. When they are
/// here, memory is asked for all of it.
final class FrameReader {
  /// So much of a frame is collected unasked.
  static final int FIRST_BYTES = 64 * 1024;

  /// Takes frames.
  interface Sink {
    /// One frame.
    ///
    /// @param payload valid until the method returns, unless retained
    /// @return whether to go on; false ends {@link #read} at once
    boolean frame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException;
  }

  /// Gives memory for frames that are larger than {@link #FIRST_BYTES}.
  interface Memory {
    /// Memory for a whole payload.
    ///
    /// @param length of the payload, in bytes
    /// @return an empty buffer of that capacity; null when there is none now. Then the frame has
    ///   either been skipped, or the next {@link #read} asks again
    @Nullable ByteBuf take(byte type, byte flags, int id, int length) throws ProtocolException;
  }

  private final ByteBufAllocator allocator;
  private final Memory memory;
  private final byte[] header = new byte[FrameType.HEADER_BYTES];
  private int headerFilled;
  private @Nullable ByteBuf payload;
  private int skipping;
  private boolean isClosed;

  FrameReader(ByteBufAllocator allocator, Memory memory) {
    this.allocator = allocator;
    this.memory = memory;
  }

  /// Takes the next bytes of the stream; they stay the caller's to release. Takes none when it is
  /// closed, also by the sink, and stops at a frame that there is no memory for now.
  ///
  /// @throws ProtocolException at a length out of range, or from the sink or the memory
  /// @throws OutOfMemoryError when there is no memory for a frame; the bytes that were not taken,
  ///   which the buffer tells, may be given again later
  void read(ByteBuf bytes, Sink sink) throws ProtocolException {
    while (bytes.isReadable() && !isClosed) {
      if (skipping > 0) {
        int skipped = Math.min(skipping, bytes.readableBytes());
        bytes.skipBytes(skipped);
        skipping -= skipped;
        continue;
      }
      if (headerFilled < FrameType.HEADER_BYTES) {
        int wanted = Math.min(FrameType.HEADER_BYTES - headerFilled, bytes.readableBytes());
        bytes.readBytes(header, headerFilled, wanted);
        headerFilled += wanted;
        if (headerFilled < FrameType.HEADER_BYTES) {
          return;
        }
      }
      if (!readPayload(bytes, payloadLength(), sink)) {
        return;
      }
    }
  }

  /// Returns whether there may be more frames.
  private boolean readPayload(ByteBuf bytes, int length, Sink sink) throws ProtocolException {
    ByteBuf collecting = payload;
    if (collecting == null) {
      if (bytes.readableBytes() >= length) {
        headerFilled = 0;
        return deliver(bytes.readSlice(length), sink);
      }
      collecting = allocator.directBuffer(Math.min(length, FIRST_BYTES), FIRST_BYTES);
      payload = collecting;
    }
    if (!collecting.isWritable()) {
      ByteBuf all = memory.take(header[4], header[5], integer(8), length);
      if (all == null) {
        return skipping > 0;
      }
      all.writeBytes(collecting);
      collecting.release();
      collecting = all;
      payload = all;
    }
    int missing = Math.min(length - collecting.readableBytes(), collecting.writableBytes());
    collecting.writeBytes(bytes, Math.min(missing, bytes.readableBytes()));
    if (collecting.readableBytes() < length) {
      return true;
    }
    payload = null;
    headerFilled = 0;
    try {
      return deliver(collecting, sink);
    } finally {
      collecting.release();
    }
  }

  /// Whether all frames that were begun have been delivered.
  boolean isBetweenFrames() {
    return headerFilled == 0 && skipping == 0;
  }

  /// Gives up the frame that is being collected: what is still to come of it is dropped.
  void skip() throws ProtocolException {
    ByteBuf collecting = payload;
    if (collecting != null) {
      payload = null;
      headerFilled = 0;
      skipping = payloadLength() - collecting.readableBytes();
      collecting.release();
    }
  }

  /// Gives up what was collected, and takes no more. Safe to call twice.
  void close() {
    isClosed = true;
    ByteBuf collecting = payload;
    payload = null;
    if (collecting != null) {
      collecting.release();
    }
  }

  private boolean deliver(ByteBuf whole, Sink sink) throws ProtocolException {
    return sink.frame(header[4], header[5], integer(8), whole);
  }

  private int payloadLength() throws ProtocolException {
    long length = integer(0) & 0xffff_ffffL;
    long max = FrameType.COUNTED_HEADER_BYTES + FrameType.MAX_PAYLOAD_BYTES;
    if (length < FrameType.COUNTED_HEADER_BYTES || length > max) {
      throw new ProtocolException(
          "frame length: "
              + length
              + " (expected: "
              + FrameType.COUNTED_HEADER_BYTES
              + " to "
              + max
              + ")");
    }
    return (int) length - FrameType.COUNTED_HEADER_BYTES;
  }

  private int integer(int offset) {
    return (header[offset] & 0xff) << 24
        | (header[offset + 1] & 0xff) << 16
        | (header[offset + 2] & 0xff) << 8
        | (header[offset + 3] & 0xff);
  }
}
