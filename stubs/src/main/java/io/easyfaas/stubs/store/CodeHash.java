package io.easyfaas.stubs.store;

import io.easyfaas.common.hash.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Base64;

/// SHA-256 as documents have it: base64.
final class CodeHash {
  private CodeHash() {}

  /// Reads the whole file.
  ///
  /// @throws IOException when it cannot be read, or is no regular file: a pipe is not waited for
  static String of(Path zip) throws IOException {
    if (Files.exists(zip) && !Files.isRegularFile(zip)) {
      throw new IOException(zip + " is no regular file");
    }
    MessageDigest digest = Digests.sha256();
    try (InputStream content = Files.newInputStream(zip);
        OutputStream sink = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
      content.transferTo(sink);
    }
    return of(digest);
  }

  static String of(MessageDigest digest) {
    return Base64.getEncoder().encodeToString(digest.digest());
  }
}
