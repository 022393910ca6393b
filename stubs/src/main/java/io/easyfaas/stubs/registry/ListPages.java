package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.Durations;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// Writes lists a page at a time, and one page after the other: what is stored may be far more than
/// the engine's memory, and reading it must not keep those waiting who call functions. Thread-safe.
final class ListPages {
  /// A page ends before it has more bytes, unless one document alone has.
  static final int MAX_PAGE_BYTES = 256 * 1024;

  private static final int MAX_ITEMS = 10_000;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Function<FunctionBrn, Optional<FunctionConfiguration>> read;
  private final Semaphore turn = new Semaphore(1, true);

  /// @param read answers empty for what is gone meanwhile or cannot be read
  ListPages(Function<FunctionBrn, Optional<FunctionConfiguration>> read) {
    this.read = read;
  }

  /// What a client asks for.
  ///
  /// @param marker where the page before ended; empty for the first
  /// @param items at most so many
  private record Wanted(String marker, int items) {
    /// Reads `Marker` and `MaxItems` of the query.
    ///
    /// @throws ApiException INVALID_PARAMETER when there can be no such page
    static Wanted of(HttpRequest request) {
      String items = request.query("MaxItems").orElse("" + MAX_ITEMS);
      if (!items.matches("[1-9][0-9]{0,4}") || Integer.parseInt(items) > MAX_ITEMS) {
        throw invalid("MaxItems", quoted(items), "1 to " + MAX_ITEMS);
      }
      return new Wanted(request.query("Marker").orElse(""), Integer.parseInt(items));
    }
  }

  /// Answers with a page, a JSON document with `NextMarker` when there is more.
  ///
  /// @param member name of the list in the document
  /// @param after finds what is listed after a marker, in order
  /// @param marker of a revision
  /// @throws ApiException UNAVAILABLE when too many want lists
  HttpResponse page(
      HttpRequest request,
      String member,
      Function<String, List<FunctionBrn>> after,
      Function<FunctionBrn, String> marker) {
    Wanted wanted = Wanted.of(request);
    await();
    try {
      Iterator<FunctionBrn> revisions = after.apply(wanted.marker()).iterator();
      return HttpResponse.json(200, write(member, wanted, revisions, marker));
    } finally {
      turn.release();
    }
  }

  private byte[] write(
      String member,
      Wanted wanted,
      Iterator<FunctionBrn> revisions,
      Function<FunctionBrn, String> marker) {
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    page.writeBytes(("{\"" + member + "\":[").getBytes(UTF_8));
    String last = "";
    for (int items = 0; revisions.hasNext(); ) {
      FunctionBrn revision = revisions.next();
      Optional<FunctionConfiguration> found = read.apply(revision);
      if (found.isEmpty()) {
        continue;
      }
      byte[] document = Json.PASCAL.write(found.get());
      if (items == wanted.items()
          || (items > 0 && page.size() + document.length > MAX_PAGE_BYTES)) {
        page.writeBytes(("],\"NextMarker\":\"" + last + "\"}").getBytes(UTF_8));
        return page.toByteArray();
      }
      page.writeBytes(items == 0 ? new byte[0] : new byte[] {','});
      page.writeBytes(document);
      last = marker.apply(revision);
      items++;
    }
    page.writeBytes("]}".getBytes(UTF_8));
    return page.toByteArray();
  }

  private void await() {
    try {
      if (turn.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new ApiException(
        ErrorCode.UNAVAILABLE,
        "lists are made one after the other, and others were before this one for "
            + Durations.text(PATIENCE),
        List.of(),
        Optional.of(Duration.ofSeconds(1)));
  }
}
