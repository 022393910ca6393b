package io.easyfaas.common.http;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayInputStream;
import java.io.InputStream;

/// The body of a request: in memory, or read as it comes. That of an answer is in memory.
public sealed interface HttpBody {
  /// No bytes.
  Bytes NONE = new Bytes(new byte[0]);

  /// A body in memory.
  ///
  /// @param bytes nobody changes them
  @SuppressWarnings("ArrayRecordComponent") // Never compared; a copy of 6 MiB is dear.
  record Bytes(byte[] bytes) implements HttpBody {
    @Override
    public InputStream stream() {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public long length() {
      return bytes.length;
    }

    @Override
    public byte[] inMemory() {
      return bytes;
    }
  }

  /// A body in a buffer, which is sent from there.
  ///
  /// @param bytes stay the caller's to release, once the request is answered
  record Buffer(ByteBuf bytes) implements HttpBody {
    @Override
    public InputStream stream() {
      return new ByteBufInputStream(bytes.slice());
    }

    @Override
    public long length() {
      return bytes.readableBytes();
    }

    @Override
    public byte[] inMemory() {
      return ByteBufUtil.getBytes(bytes);
    }
  }

  /// A body that is read once, from its beginning to its end, by one thread.
  ///
  /// @param stream blocks until bytes come. Whoever reads it closes it; a body that is sent is
  ///   closed by whoever sends it
  /// @param length bytes in all; {@link #UNKNOWN} when only its end tells
  record Stream(InputStream stream, long length) implements HttpBody {
    /// Refuses a length that is none.
    public Stream {
      requireNonNull(stream, "stream");
      if (length < UNKNOWN) {
        throw new IllegalArgumentException("length: " + length + " (expected: >= 0, or unknown)");
      }
    }

    @Override
    public byte[] inMemory() {
      throw new IllegalStateException("the body is a stream (expected: one in memory)");
    }
  }

  /// The length of a stream that does not tell it before its end.
  long UNKNOWN = -1;

  /// The bytes, to be read once.
  InputStream stream();

  /// The number of bytes, or {@link #UNKNOWN}.
  long length();

  /// The bytes of a body in memory.
  ///
  /// @throws IllegalStateException when it is a stream
  byte[] inMemory();
}
