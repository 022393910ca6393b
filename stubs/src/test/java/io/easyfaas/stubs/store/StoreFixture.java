package io.easyfaas.stubs.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionConfiguration.Environment;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.Concurrency;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.FunctionDocument.LogConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Revisions to store, and a look at what is on disk. The store does not care whether code is a
/// zip, so here it is a text.
final class StoreFixture {
  private StoreFixture() {}

  static FunctionBrn brn(String name, String version) {
    return FunctionBrn.of(Account.DEFAULT, name, Qualifier.parse(version));
  }

  static FunctionDocument put(FunctionStore store, FunctionBrn revision, String code) {
    try (FunctionStore.Lock _ = store.lock(revision);
        StagedCode staged = stage(store, code)) {
      return store.put(revision, document(revision, code, staged.sha256()), staged.path());
    }
  }

  static StagedCode stage(FunctionStore store, String code) {
    try (CodeDraft draft = store.stage()) {
      byte[] bytes = code.getBytes(UTF_8);
      draft.write(bytes, 0, bytes.length);
      return draft.finish();
    }
  }

  static FunctionDocument document(FunctionBrn revision, String description, String sha256) {
    return new FunctionDocument(
        new FunctionCode("", null, null),
        new Concurrency(null, 0),
        new FunctionConfiguration(
            sha256,
            3L,
            description,
            new Environment(Map.of("A", "b")),
            revision.toString(),
            revision.name(),
            "index.handler",
            "2026-01-01T00:00:00Z",
            128,
            "nodejs20",
            5,
            revision.qualifier().toString(),
            "commit",
            Account.DEFAULT.id(),
            null,
            null),
        new LogConfig("", "", ""),
        Account.DEFAULT.id(),
        Map.of());
  }

  /// The text of a revision's code, checked against the hash in its document.
  static String codeOf(FunctionDocument document) {
    try {
      byte[] code = Files.readAllBytes(Path.of(document.code().location()));
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(code);
      String sha256 = Base64.getEncoder().encodeToString(digest);
      if (!sha256.equals(document.configuration().codeSha256())) {
        throw new AssertionError("code and document of " + document + " do not belong together");
      }
      return new String(code, UTF_8);
    } catch (IOException | NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /// Every file and directory below, but for the lock, relative and sorted.
  static List<String> tree(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths
          .filter(path -> !path.equals(directory))
          .map(path -> directory.relativize(path).toString())
          .filter(path -> !path.equals(".lock"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
