package io.easyfaas.funclet.code;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipLimits;
import io.easyfaas.common.zip.ZipSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Fetches an archive, checks it, and unpacks it. Thread-safe.
final class CodeUnpacker {
  private final CodeFetcher fetcher;
  private final DiskUse limit;
  private final OpenArchives open = new OpenArchives(Runtime.getRuntime().maxMemory() / 4);
  // For fetched archives that are kept in memory, each of at most MOST_IN_MEMORY bytes.
  private final Semaphore places =
      new Semaphore((int) (Runtime.getRuntime().maxMemory() / 32 / FetchedArchive.MOST_IN_MEMORY));
  // Of the cache's file system; 0 until it is asked.
  private volatile long block;

  /// @param limit what one archive may take of the disk when it is unpacked
  CodeUnpacker(CodeFetcher fetcher, DiskUse limit) {
    this.fetcher = fetcher;
    this.limit = limit;
  }

  /// Unpacks.
  ///
  /// @param archive names where a large archive is put meanwhile, a file that does not exist yet
  /// @param content where it is unpacked, a directory that does not exist yet
  /// @param announced told what it will take before the first file is made
  /// @throws ApiException when the code cannot be had, is damaged, or can never fit
  /// @throws IOException when the disk cannot be written
  void unpack(
      FunctionCode code,
      CodeKey key,
      Supplier<Path> archive,
      Path content,
      Consumer<DiskUse> announced)
      throws IOException {
    try (FetchedArchive fetched = new FetchedArchive(places, archive)) {
      CodeHash actual = fetcher.fetch(code, fetched);
      if (!actual.equals(key.hash())) {
        throw new ApiException(
            ErrorCode.INVALID_PARAMETER,
            "CodeSha256 checksum failed: the code is "
                + actual.base64()
                + " (expected: "
                + key.hash().base64()
                + ")");
      }
      unpack(fetched, key, content, announced);
    }
  }

  private void unpack(
      FetchedArchive fetched, CodeKey key, Path content, Consumer<DiskUse> announced)
      throws IOException {
    try (ZipSource source = fetched.source();
        OpenArchives.Turn _ = open.await(ZipArchive.mostHeap(source));
        ZipArchive zip = ZipArchive.open(source, ZipLimits.STANDARD)) {
      DiskUse use = zip.use(blockSize(content));
      if (!use.fits(limit)) {
        throw new ApiException(
            ErrorCode.REQUEST_TOO_LARGE,
            "code "
                + key.hash().base64()
                + " takes "
                + use
                + " unpacked (expected: at most "
                + limit
                + ", see --code-cache-size and --code-cache-inodes)");
      }
      announced.accept(use);
      Files.createDirectory(content);
      Files.setPosixFilePermissions(content, PosixFilePermissions.fromString("rwxr-xr-x"));
      ZipExtractor.extract(zip, content);
    } catch (BadZipException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "the code archive " + e.getMessage());
    }
  }

  private long blockSize(Path content) throws IOException {
    if (block == 0) {
      block = DiskUse.blockSize(requireNonNull(content.getParent()));
    }
    return block;
  }

  /// Why a disk could not be written, for a message.
  static String reason(IOException failure) {
    String text = String.valueOf(failure.getMessage());
    return text.contains("No space left")
        ? text + ". Hint: free some disk space, or lower --code-cache-size"
        : text;
  }
}
