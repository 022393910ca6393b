package io.easyfaas.funclet.code;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;

/// Fetches an archive, checks it, and unpacks it. Thread-safe.
final class CodeUnpacker {
  private final CodeFetcher fetcher;
  private final DiskUse limit;
  private final OpenArchives open = new OpenArchives(Runtime.getRuntime().maxMemory() / 4);
  // Of the cache's file system; 0 until it is asked.
  private volatile long block;

  /// @param limit what one archive may take of the disk when it is unpacked
  CodeUnpacker(CodeFetcher fetcher, DiskUse limit) {
    this.fetcher = fetcher;
    this.limit = limit;
  }

  /// Unpacks.
  ///
  /// @param archive where the archive is put, a file that does not exist yet
  /// @param content where it is unpacked, a directory that does not exist yet
  /// @param announced told what it will take before the first file is made
  /// @throws ApiException when the code cannot be had, is damaged, or can never fit
  /// @throws IOException when the disk cannot be written
  void unpack(
      FunctionCode code, CodeKey key, Path archive, Path content, Consumer<DiskUse> announced)
      throws IOException {
    CodeHash actual = fetcher.fetch(code, archive);
    if (!actual.equals(key.hash())) {
      throw new ApiException(
          ErrorCode.INVALID_PARAMETER,
          "CodeSha256 checksum failed: the code is "
              + actual.base64()
              + " (expected: "
              + key.hash().base64()
              + ")");
    }
    try (OpenArchives.Turn _ = open.await(ZipArchive.mostHeap(archive));
        ZipArchive zip = ZipArchive.open(archive, ZipLimits.STANDARD)) {
      DiskUse use = zip.use(blockSize(archive));
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

  private long blockSize(Path archive) throws IOException {
    if (block == 0) {
      block = DiskUse.blockSize(archive);
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
