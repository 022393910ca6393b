package io.easyfaas.common.http;

import io.easyfaas.common.wire.ErrorCode;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/// What RFC 9112 §3 and §6.1 ask of a head beyond what the decoder sees to: its version, its
/// target, whom it is for, and that its body has a form we know.
final class RequestForm {
  private static final String BESIDE_LETTERS = "-._~!$&'()*+,;=%:[]";

  private RequestForm() {}

  /// Checks a head, and brings a target in absolute form into origin form: path and query.
  ///
  /// @return the answer to what is no request for a server; null when it is one
  static @Nullable HttpResponse refusal(HttpRequest request) {
    HttpVersion version = request.protocolVersion();
    if (version.majorVersion() != 1) {
      return HttpResponse.error(ErrorCode.VERSION_NOT_SUPPORTED, version + " (expected: HTTP/1.1)");
    }
    if (request.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)
        && !isChunkedAlone(request.headers())) {
      return HttpResponse.error(
          ErrorCode.NOT_IMPLEMENTED, "Transfer-Encoding (expected: chunked, alone and once)");
    }
    String target = origin(request.method(), request.uri());
    if (target == null) {
      return HttpResponse.error(
          ErrorCode.INVALID_REQUEST,
          "request target (expected: a path, an http:// URL, or * with OPTIONS)");
    }
    request.setUri(target);
    Iterator<? extends CharSequence> hosts =
        request.headers().valueCharSequenceIterator(HttpHeaderNames.HOST);
    boolean mustHave = version.minorVersion() > 0;
    boolean isFine = hosts.hasNext() ? isHost(hosts.next()) && !hosts.hasNext() : !mustHave;
    return isFine
        ? null
        : HttpResponse.error(
            ErrorCode.INVALID_REQUEST, "Host (expected: one header with one host)");
  }

  private static boolean isChunkedAlone(HttpHeaders headers) {
    Iterator<? extends CharSequence> codings =
        headers.valueCharSequenceIterator(HttpHeaderNames.TRANSFER_ENCODING);
    boolean isChunked =
        codings.hasNext() && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.next());
    return isChunked && !codings.hasNext();
  }

  private static @Nullable String origin(HttpMethod method, String target) {
    if (target.startsWith("/")) {
      return target;
    }
    boolean isAboutAll = method.equals(HttpMethod.OPTIONS);
    if (target.equals("*")) {
      return isAboutAll ? target : null;
    }
    int colon = Math.max(0, target.indexOf("://"));
    String scheme = target.substring(0, colon);
    if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https")) {
      return null;
    }
    int authority = colon + "://".length();
    int end = authority;
    while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
      end++;
    }
    if (end == authority) {
      return null;
    }
    if (end == target.length() && isAboutAll) {
      return "*";
    }
    String path = target.substring(end);
    return path.startsWith("/") ? path : "/" + path;
  }

  private static boolean isHost(CharSequence host) {
    for (int i = 0; i < host.length(); i++) {
      char letter = host.charAt(i);
      if (letter >= 0x80
          || (!Character.isLetterOrDigit(letter) && BESIDE_LETTERS.indexOf(letter) < 0)) {
        return false;
      }
    }
    return true;
  }
}
