package io.easyfaas.funclet.code;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.hash.Digests;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/// Copies a code archive and says what its hash is. Thread-safe.
final class CodeFetcher {
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final Set<Integer> GONE = Set.of(404, 410);

  private final long maxBytes;
  private final CodePace pace;
  private final SourceDirectories sources;

  /// @param maxBytes a larger archive is refused
  /// @param pace of a download
  /// @param sources where a file may be
  CodeFetcher(long maxBytes, CodePace pace, SourceDirectories sources) {
    this.maxBytes = maxBytes;
    this.pace = pace;
    this.sources = sources;
  }

  SourceDirectories sources() {
    return sources;
  }

  CodePace pace() {
    return pace;
  }

  /// Where code can come from.
  sealed interface Location {
    /// A file of this machine.
    record LocalFile(Path path) implements Location {}

    /// A web address.
    record Web(URI address) implements Location {}

    /// Reads a document's location. Pure.
    ///
    /// @throws ApiException when it is empty or malformed
    static Location of(FunctionCode code) {
      String location = requireNonNullElse(code.location(), "");
      if (location.isEmpty()) {
        throw bad("code location was empty");
      }
      String type = requireNonNullElse(code.repositoryType(), "");
      return switch (type) {
        case "filesystem" -> new LocalFile(absolutePath(location));
        case "", "bos" -> new Web(address(location));
        default -> throw bad("RepositoryType: \"" + type + "\" (expected: filesystem or bos)");
      };
    }

    private static Path absolutePath(String location) {
      try {
        Path path = Path.of(location);
        if (path.isAbsolute()) {
          return path;
        }
      } catch (InvalidPathException _) {
        // Falls through to the one message for both.
      }
      throw bad("code location: \"" + location + "\" (expected: an absolute path)");
    }

    private static URI address(String location) {
      try {
        URI uri = new URI(location);
        if (uri.getHost() != null
            && List.of("http", "https").contains(requireNonNullElse(uri.getScheme(), ""))) {
          return uri;
        }
      } catch (URISyntaxException _) {
        // Falls through to the one message for both.
      }
      throw bad("code location: \"" + location + "\" (expected: an http or https address)");
    }
  }

  /// Copies the archive.
  ///
  /// @param target where to, not closed
  /// @return the hash of what was copied
  /// @throws ApiException when the location is wrong, too large, or does not answer in time;
  ///   CODE_NOT_FOUND when nothing is there
  /// @throws IOException when the target cannot be written
  @SuppressWarnings("resource") // The target is the caller's.
  CodeHash fetch(FunctionCode code, OutputStream target) throws IOException {
    MessageDigest digest = Digests.sha256();
    OutputStream digested = new DigestOutputStream(target, digest);
    switch (Location.of(code)) {
      case Location.LocalFile(Path path) -> copyLocal(path, digested);
      case Location.Web(URI address) -> download(address, digested);
    }
    return CodeHash.of(digest);
  }

  private Path locate(Path path) {
    try {
      return sources.resolve("code location", path);
    } catch (IOException _) {
      throw gone(path.toString());
    }
  }

  private void copyLocal(Path path, OutputStream target) throws IOException {
    Path real = locate(path);
    try {
      if (!Files.isRegularFile(real, NOFOLLOW_LINKS)) {
        throw bad("code location: " + path + " is not a regular file");
      }
      if (Files.size(real) == 0) {
        return; // So say the kernel's own files, some of which can be read for ever.
      }
      try (InputStream source = Files.newInputStream(real, NOFOLLOW_LINKS)) {
        copy(source, target, path.toString(), new AtomicLong());
      }
    } catch (NoSuchFileException _) {
      throw gone(path.toString()); // Between the look and the opening.
    }
  }

  /// A server that trickles does not hold a slot.
  private void download(URI address, OutputStream target) throws IOException {
    AtomicLong received = new AtomicLong();
    FutureTask<Void> downloading =
        new FutureTask<>(() -> {
          get(address, target, received);
          return null;
        });
    Thread.ofVirtual().name("code-download").start(downloading);
    try {
      await(downloading, received);
    } catch (TimeoutException _) {
      downloading.cancel(true);
      throw external(
          "download code timeout %d seconds: %d bytes have come (expected: %d a second): %s"
              .formatted(
                  pace.time(received.get()).toSeconds(),
                  received.get(),
                  pace.bytesPerSecond(),
                  address));
    } catch (InterruptedException e) {
      downloading.cancel(true);
      Thread.currentThread().interrupt();
      throw new IOException("download " + address + ": interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case ApiException refused -> throw refused;
        case TargetException unwritable -> throw unwritable.cause();
        case null, default -> throw external("download code err: " + address + ": " + e.getCause());
      }
    }
  }

  /// Waits as long as what has come allows.
  private void await(FutureTask<Void> downloading, AtomicLong received)
      throws InterruptedException, ExecutionException, TimeoutException {
    long start = System.nanoTime();
    while (true) {
      long left = start + pace.time(received.get()).toNanos() - System.nanoTime();
      if (left <= 0) {
        throw new TimeoutException();
      }
      try {
        downloading.get(left, TimeUnit.NANOSECONDS);
        return;
      } catch (TimeoutException _) {
        // More may have come meanwhile.
      }
    }
  }

  private void get(URI address, OutputStream target, AtomicLong received)
      throws IOException, InterruptedException {
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(pace.patience())
            .build()) {
      HttpResponse<InputStream> response =
          client.send(
              HttpRequest.newBuilder(address).timeout(pace.patience()).build(),
              HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (response.statusCode() != 200) {
          client.shutdownNow();
          if (GONE.contains(response.statusCode())) {
            throw gone(address + " answered " + response.statusCode() + ": it");
          }
          throw external(
              "download code err: "
                  + address
                  + " answered "
                  + response.statusCode()
                  + " (expected: 200)");
        }
        copy(body, target, address.toString(), received);
      } finally {
        client.shutdownNow(); // Else close() waits for a body nobody reads.
      }
    }
  }

  /// @param copied grows with what has come
  private void copy(InputStream source, OutputStream target, String name, AtomicLong copied)
      throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (int n = source.read(buffer); n >= 0; n = source.read(buffer)) {
      if (copied.addAndGet(n) > maxBytes) {
        throw new ApiException(
            ErrorCode.REQUEST_TOO_LARGE,
            "code location: " + name + " is larger than the limit of " + maxBytes + " bytes");
      }
      try {
        target.write(buffer, 0, n);
      } catch (IOException e) {
        throw new TargetException(e);
      }
    }
  }

  /// Tells a full disk from a broken connection.
  private static final class TargetException extends IOException {
    private final IOException reason;

    TargetException(IOException reason) {
      super(reason.getMessage(), reason);
      this.reason = reason;
    }

    IOException cause() {
      return reason;
    }
  }

  private static ApiException gone(String location) {
    return new ApiException(
        ErrorCode.CODE_NOT_FOUND, "code location: " + location + " does not exist");
  }

  private static ApiException bad(String cause) {
    return new ApiException(ErrorCode.INVALID_PARAMETER, cause);
  }

  private static ApiException external(String cause) {
    return new ApiException(ErrorCode.SERVICE, cause);
  }
}
