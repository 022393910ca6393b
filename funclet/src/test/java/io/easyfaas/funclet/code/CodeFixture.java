package io.easyfaas.funclet.code;

import io.easyfaas.common.hash.Digests;
import io.easyfaas.common.zip.ZipBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;

/// A code archive for tests of other packages.
///
/// @param file the archive
/// @param sha256 base64
/// @param hex the name it gets in the cache
public record CodeFixture(Path file, String sha256, String hex) {
  /// An archive with one file.
  public static CodeFixture zip(Path directory, String name, String content) throws IOException {
    Path file = new ZipBuilder().file(name, content).write(directory.resolve("fixture.zip"));
    MessageDigest digest = Digests.sha256();
    digest.update(Files.readAllBytes(file));
    CodeHash hash = CodeHash.of(digest);
    return new CodeFixture(file, hash.base64(), hash.hex());
  }
}
