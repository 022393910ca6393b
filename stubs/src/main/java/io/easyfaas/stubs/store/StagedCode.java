package io.easyfaas.stubs.store;

import java.nio.file.Path;

/// A code package that is on disk but belongs to no function yet. Closing removes it; a revision
/// that took it has its own link by then. Not thread-safe.
public final class StagedCode implements AutoCloseable {
  private final FunctionStore store;
  private final Path path;
  private final String sha256;
  private final long size;

  StagedCode(FunctionStore store, Path path, String sha256, long size) {
    this.store = store;
    this.path = path;
    this.sha256 = sha256;
    this.size = size;
  }

  /// The zip.
  public Path path() {
    return path;
  }

  /// Base64 of the zip's SHA-256.
  public String sha256() {
    return sha256;
  }

  /// Bytes of the zip.
  public long size() {
    return size;
  }

  /// Removes the file. Safe to call twice.
  @Override
  public void close() {
    store.discard(path);
  }
}
