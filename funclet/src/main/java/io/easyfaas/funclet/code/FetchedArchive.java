package io.easyfaas.funclet.code;

import io.easyfaas.common.zip.ZipSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An archive that is being fetched: in memory as long as it is small, as most are, in a file from
/// then on, so that a small one is not written to the disk twice. Closing it ends both.
/// Thread-safe: a download that was given up may still write, and is told that it is closed.
final class FetchedArchive extends OutputStream {
  /// A larger one is in a file.
  static final int MOST_IN_MEMORY = 64 << 10;

  private final Semaphore places;
  private final Supplier<Path> name;
  private @Nullable Memory memory;
  private @Nullable Path file;
  private @Nullable OutputStream out;
  private boolean isClosed;

  /// Lends its array.
  private static final class Memory extends ByteArrayOutputStream {
    Memory() {
      super(MOST_IN_MEMORY);
    }

    ZipSource source() {
      return ZipSource.of(buf, count);
    }
  }

  /// @param places in memory, of {@link #MOST_IN_MEMORY} bytes each; with none left it is in a file
  /// @param name of the file, which does not exist yet
  FetchedArchive(Semaphore places, Supplier<Path> name) {
    this.places = places;
    this.name = name;
    this.memory = places.tryAcquire() ? new Memory() : null;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
    if (isClosed) {
      throw new IOException("nobody wants it any more");
    }
    if (memory != null && memory.size() + length <= MOST_IN_MEMORY) {
      memory.write(bytes, offset, length);
    } else {
      onDisk().write(bytes, offset, length);
    }
  }

  /// What was written, once no more comes.
  ///
  /// @return to be closed before this is
  synchronized ZipSource source() throws IOException {
    if (memory != null) {
      return memory.source();
    }
    onDisk().close();
    return ZipSource.of(file());
  }

  @Override
  public synchronized void close() throws IOException {
    isClosed = true;
    leaveMemory();
    try {
      if (out != null) {
        out.close();
      }
    } finally {
      if (file != null) {
        CodeDirectory.delete(file);
        file = null;
      }
    }
  }

  private OutputStream onDisk() throws IOException {
    if (out == null) {
      out = Files.newOutputStream(file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      if (memory != null) {
        memory.writeTo(out);
        leaveMemory();
      }
    }
    return out;
  }

  private Path file() {
    if (file == null) {
      file = name.get();
    }
    return file;
  }

  private void leaveMemory() {
    if (memory != null) {
      memory = null;
      places.release();
    }
  }
}
