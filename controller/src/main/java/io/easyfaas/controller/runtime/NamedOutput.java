package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/// Tells what a runner has written to the pipe as the output of a call from what others have, see
/// protocol.md §1. Not thread-safe.
///
/// Both are read in pieces of any size. What only looks like a record's header is raw output.
final class NamedOutput {
  private static final int MARK_BYTES = 8;
  private static final int HEADER_BYTES = 16;
  private static final byte BEGIN = (byte) 0xff; // In no text.

  /// Takes what was printed. Texts are valid until the methods return.
  interface Sink {
    /// Output of a call, in whole characters.
    ///
    /// @param id 0 when the runner cannot name one
    void named(boolean stderr, int id, ByteBuf text);

    /// What others have written.
    void raw(ByteBuf text);
  }

  private final ByteBuf begun = Unpooled.buffer(HEADER_BYTES, HEADER_BYTES);
  private final Utf8Join join = new Utf8Join();
  private byte @Nullable [] mark;
  private boolean stderr;
  private int id;
  private int left;

  /// From now on there may be records.
  ///
  /// @param runners what the runner said in its HELLO, or null when it writes none
  /// @throws ProtocolException when that is no mark
  void mark(byte @Nullable [] runners) throws ProtocolException {
    if (runners != null && runners.length != MARK_BYTES) {
      throw new ProtocolException("a mark of " + runners.length + " bytes");
    }
    mark = runners;
  }

  /// Takes the next bytes of the pipe.
  ///
  /// @return how many records began
  int add(ByteBuf bytes, Sink sink) {
    byte[] expected = mark;
    if (expected == null) {
      sink.raw(bytes);
      return 0;
    }
    int records = 0;
    while (bytes.isReadable()) {
      if (left > 0) {
        takeText(bytes, sink);
      } else if (begun.isReadable()) {
        records += goOn(bytes, expected, sink);
      } else {
        records += search(bytes, expected, sink);
      }
    }
    return records;
  }

  /// Nothing more will come: what was begun is no record.
  void close(Sink sink) {
    join.flush(rest -> sink.named(stderr, id, rest));
    if (begun.isReadable()) {
      sink.raw(begun);
      begun.clear();
    }
  }

  private void takeText(ByteBuf bytes, Sink sink) {
    ByteBuf text = bytes.readSlice(Math.min(left, bytes.readableBytes()));
    left -= text.readableBytes();
    join.add(text, whole -> sink.named(stderr, id, whole));
    if (left == 0) {
      join.flush(rest -> sink.named(stderr, id, rest));
    }
  }

  /// Passes on what comes before the next header.
  ///
  /// @return whether a record begins: 1 or 0
  private int search(ByteBuf bytes, byte[] expected, Sink sink) {
    int from = bytes.readerIndex();
    int end = bytes.writerIndex();
    int at = bytes.indexOf(from, end, BEGIN);
    while (at >= 0 && !mayBegin(bytes, at, expected)) {
      at = bytes.indexOf(at + 1, end, BEGIN);
    }
    int cut = at < 0 ? end : at;
    if (cut > from) {
      sink.raw(bytes.slice(from, cut - from));
    }
    bytes.readerIndex(cut);
    if (bytes.readableBytes() < HEADER_BYTES) {
      begun.clear().writeBytes(bytes);
      return 0;
    }
    begin(bytes);
    return 1;
  }

  /// Completes a header that was begun, or finds that it is none.
  ///
  /// @return whether a record begins: 1 or 0
  private int goOn(ByteBuf bytes, byte[] expected, Sink sink) {
    int earlier = begun.readableBytes();
    begun.writeBytes(bytes, Math.min(begun.writableBytes(), bytes.readableBytes()));
    int at = 0;
    while (at < begun.writerIndex() && !mayBegin(begun, at, expected)) {
      at++;
    }
    if (at > 0) {
      sink.raw(begun.readSlice(at));
    }
    if (at >= earlier) { // The rest is among these bytes as well, and is searched there at once.
      bytes.readerIndex(bytes.readerIndex() - begun.readableBytes());
      begun.clear();
      return 0;
    }
    if (begun.readableBytes() < HEADER_BYTES) {
      begun.discardReadBytes();
      return 0;
    }
    begin(begun);
    begun.clear();
    return 1;
  }

  /// Whether what is there is a header as far as it goes.
  private static boolean mayBegin(ByteBuf bytes, int at, byte[] expected) {
    int size = Math.min(bytes.writerIndex() - at, 1 + MARK_BYTES);
    for (int i = 1; i < size; i++) {
      if (bytes.getByte(at + i) != expected[i - 1]) {
        return false;
      }
    }
    return bytes.getByte(at) == BEGIN;
  }

  private void begin(ByteBuf header) {
    header.skipBytes(1 + MARK_BYTES);
    stderr = (header.readByte() & FrameType.FLAG_STDERR) != 0;
    left = header.readUnsignedShort();
    id = header.readInt();
  }
}
