package io.easyfaas.common.zip;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The bytes of an archive, wherever they are. Not thread-safe.
public interface ZipSource extends AutoCloseable {
  /// How many bytes there are.
  long size() throws IOException;

  /// Reads as many bytes as the target has room for, or fewer.
  ///
  /// @param position of the first byte, from 0
  /// @return how many; -1 when there is none at the position
  int read(ByteBuffer target, long position) throws IOException;

  @Override
  void close() throws IOException;

  /// A file.
  static ZipSource of(Path path) throws IOException {
    FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
    return new ZipSource() {
      @Override
      public long size() throws IOException {
        return file.size();
      }

      @Override
      public int read(ByteBuffer target, long position) throws IOException {
        return file.read(target, position);
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  /// Bytes in memory, from the first to before `end`. Nobody changes them meanwhile.
  static ZipSource of(byte[] bytes, int end) {
    return new ZipSource() {
      @Override
      public long size() {
        return end;
      }

      @Override
      public int read(ByteBuffer target, long position) {
        if (position >= end) {
          return -1;
        }
        int count = (int) Math.min(target.remaining(), end - position);
        target.put(bytes, (int) position, count);
        return count;
      }

      @Override
      public void close() {
        // Nothing is held but memory.
      }
    };
  }
}
