package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.BodyRule;
import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Set;

/// Reads requests that create or change a function: a JSON document with the code in base64, or the
/// bare zip with the settings in the query. Either way the code goes to the disk as it comes, and
/// no more of it than a buffer is in memory. Thread-safe.
final class UploadReader {
  /// What a request may have besides the code: names, variables, tags, and white space.
  static final int MAX_SETTINGS_BYTES = 256 * 1024;

  // Of them in memory: texts of twice their bytes, since Json takes few of them.
  private static final int KEPT_BYTES = 2 * MAX_SETTINGS_BYTES;

  private static final Set<String> ZIP_TYPES =
      Set.of("application/zip", "application/x-zip-compressed", "application/octet-stream");

  private final FunctionStore store;
  private final ByteSize maxCode;
  private final UploadRoom room;
  private final CodeChecker checker = new CodeChecker();

  /// @param maxCode the largest zip that is stored
  UploadReader(FunctionStore store, ByteSize maxCode, UploadRoom room) {
    this.store = store;
    this.maxCode = maxCode;
    this.room = room;
  }

  /// How the bodies of all requests are taken.
  static BodyRule bodyRule(ByteSize maxCode) {
    return BodyRule.streamed(base64(maxCode.bytes()) + MAX_SETTINGS_BYTES, KEPT_BYTES)
        .because(" with a package of at most " + maxCode + " in base64, see --max-code-size");
  }

  /// Reads a request to its end; the code is on disk then, checked to be a package.
  ///
  /// @param account who uploads
  /// @throws ApiException when it is not what it has to be, is too large, or there is no room now
  /// @throws JsonException when a document is none
  /// @throws StoreException when the code cannot be written
  FunctionUpload read(Account account, HttpRequest request) {
    return isZip(request)
        ? readZip(account.hash(), request)
        : readDocument(account.hash(), request);
  }

  private FunctionUpload readZip(String account, HttpRequest request) {
    FunctionSettings settings = SettingsQuery.read(request);
    try (IncomingCode code = code(account, request.content().length());
        InputStream body = request.stream()) {
      body.transferTo(code.open());
      if (code.size() == 0) {
        throw invalid("Code", "0 bytes", "a zip");
      }
      return code.finish(settings);
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private FunctionUpload readDocument(String account, HttpRequest request) {
    long length = request.content().length();
    try (IncomingCode code = code(account, length == HttpBody.UNKNOWN ? length : length / 4 * 3);
        DocumentBody body = new DocumentBody(request.stream(), () -> base64(code.size()))) {
      FunctionSettings settings = read(body, code);
      if (code.isOpen()) {
        return code.finish(settings);
      }
      if (settings.code() != null) {
        throw invalid("Code", "an array", "a text of base64");
      }
      return new FunctionUpload(settings, null, null);
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private static FunctionSettings read(DocumentBody body, IncomingCode code) throws IOException {
    if (!body.begins()) {
      return Json.PASCAL.read("{}", FunctionSettings.class);
    }
    try {
      return Json.PASCAL.read(body, FunctionSettings.class, code::open);
    } catch (JsonException e) {
      body.rethrow();
      throw e;
    }
  }

  private IncomingCode code(String account, long expected) {
    return new IncomingCode(store, room, checker, account, maxCode, expected);
  }

  private static boolean isZip(HttpRequest request) {
    String type = request.header("Content-Type").orElse("");
    int parameters = type.indexOf(';');
    String bare = parameters < 0 ? type : type.substring(0, parameters);
    return ZIP_TYPES.contains(bare.strip().toLowerCase(Locale.ROOT));
  }

  /// The client is told by the server, if it is still there.
  private static ApiException broken(IOException cause) {
    return new ApiException(ErrorCode.INVALID_PARAMETER, "body: " + cause.getMessage());
  }

  private static long base64(long bytes) {
    return (bytes + 2) / 3 * 4;
  }
}
