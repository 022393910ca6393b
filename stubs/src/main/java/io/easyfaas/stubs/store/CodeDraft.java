package io.easyfaas.stubs.store;

import io.easyfaas.common.hash.Digests;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;

/// A code package on its way to the disk, hashed as it comes. Closing it before it is finished
/// removes it. Not thread-safe.
///
/// Every failure of the disk is a {@link StoreException}: whoever copies to a draft can tell it
/// from a failure of what is copied.
public final class CodeDraft extends OutputStream {
  private final FunctionStore store;
  private final Path file;
  private final FileChannel channel;
  private final MessageDigest digest = Digests.sha256();
  private long size;
  private boolean finished;

  CodeDraft(FunctionStore store, Path file, FileChannel channel) {
    this.store = store;
    this.file = file;
    this.channel = channel;
  }

  /// Bytes so far.
  public long size() {
    return size;
  }

  @Override
  public void write(int one) {
    write(new byte[] {(byte) one}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    digest.update(bytes, offset, length);
    ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
    try {
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
    } catch (IOException e) {
      throw store.failure("store code", e, length);
    }
    size += length;
  }

  /// Makes it durable.
  ///
  /// @return the package, which is the caller's to close
  public StagedCode finish() {
    try {
      store.disk().sync(channel);
      channel.close();
    } catch (IOException e) {
      throw store.failure("store " + size + " bytes of code", e, size);
    }
    finished = true;
    return new StagedCode(store, file, CodeHash.of(digest), size);
  }

  /// Removes what was written, unless it was finished. Safe to call twice.
  @Override
  public void close() {
    if (!finished) {
      try {
        channel.close();
      } catch (IOException _) {
        // It is removed next.
      }
      store.discard(file);
    }
  }
}
