package io.easyfaas.controller.call;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.Optional;

/// What the request line of an invocation says: the path `/v1/functions/{BRN|name}/invocations` and
/// its query.
///
/// @param function the path's parameter, decoded
/// @param qualifier query `Qualifier`, empty when absent
/// @param logType query `logType`, empty when absent
/// @param logToBody query `logToBody`, empty when absent
record InvokeTarget(String function, String qualifier, String logType, String logToBody) {
  private static final String PREFIX = "/v1/functions/";
  private static final String SUFFIX = "/invocations";

  /// Reads a request target. Empty when it is not an invocation, or its escapes are malformed: the
  /// router answers those.
  static Optional<InvokeTarget> parse(String uri) {
    int queryAt = uri.indexOf('?');
    String path = queryAt < 0 ? uri : uri.substring(0, queryAt);
    try {
      if (path.indexOf("//") >= 0) {
        path = path.replaceAll("/{2,}", "/");
      }
      if (path.endsWith("/")) { // Which changes nothing, as in the router.
        path = path.substring(0, path.length() - 1);
      }
      int nameEnd = path.length() - SUFFIX.length();
      if (nameEnd <= PREFIX.length() || !path.startsWith(PREFIX) || !path.endsWith(SUFFIX)) {
        return Optional.empty();
      }
      String raw = path.substring(PREFIX.length(), nameEnd);
      if (raw.indexOf('/') >= 0) {
        return Optional.empty();
      }
      String function = decodePath(raw);
      if (queryAt < 0) {
        return Optional.of(new InvokeTarget(function, "", "", ""));
      }
      return Optional.of(withQuery(function, uri.substring(queryAt + 1)));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static InvokeTarget withQuery(String function, String query) {
    String qualifier = "";
    String logType = "";
    String logToBody = "";
    for (int start = 0; start < query.length(); ) {
      int end = query.indexOf('&', start);
      end = end < 0 ? query.length() : end;
      int equals = query.indexOf('=', start);
      if (equals >= 0 && equals < end) {
        String value = decodeQuery(query.substring(equals + 1, end));
        switch (decodeQuery(query.substring(start, equals))) {
          case "Qualifier" -> qualifier = value;
          case "logType" -> logType = value;
          case "logToBody" -> logToBody = value;
          default -> {} // Others are the caller's business.
        }
      }
      start = end + 1;
    }
    return new InvokeTarget(function, qualifier, logType, logToBody);
  }

  private static String decodePath(String text) {
    return text.indexOf('%') < 0 ? text : URLDecoder.decode(text.replace("+", "%2B"), UTF_8);
  }

  private static String decodeQuery(String text) {
    return text.indexOf('%') < 0 && text.indexOf('+') < 0 ? text : URLDecoder.decode(text, UTF_8);
  }
}
