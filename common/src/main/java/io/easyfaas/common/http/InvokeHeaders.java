package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.Base64;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;

/// The headers by which an HTTP request says how a function is to be called. Absent ones are empty.
///
/// One object serves all requests of a connection, so that a request costs none: {@link #read}
/// begins anew. Confined to the connection's event loop.
public final class InvokeHeaders {
  private static final String AUTHORIZATION = "Authorization";
  private static final String TRACEPARENT = "Traceparent";
  private static final String TRACESTATE = "Tracestate";

  private String requestId = "";
  private String legacyRequestId = "";
  private String account = "";
  private String legacyAccount = "";
  private String invokeType = "";
  private String trigger = "";
  private String logType = "";
  private String logToBody = "";
  private String authorization = "";
  private String traceparent = "";
  private String tracestate = "";
  private String clientContext = "";

  /// Reads a request's headers in one pass: a look-up of each of a dozen names would hash a dozen
  /// names. Of several values with one name the last wins; an older spelling counts when the newer
  /// is empty.
  public void read(HttpHeaders headers) {
    clear();
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      read(all.next());
    }
  }

  /// The caller's id of the request.
  public String requestId() {
    return requestId.isEmpty() ? legacyRequestId : requestId;
  }

  /// The caller's account.
  public String account() {
    return account.isEmpty() ? legacyAccount : account;
  }

  /// The caller's credentials.
  public String authorization() {
    return authorization;
  }

  /// What made the call, as given.
  public String trigger() {
    return trigger;
  }

  /// Whether the answer is to have the log in its body.
  public boolean wantsLogInBody() {
    return logToBody.equals("true");
  }

  /// Whether the end of the log is wanted; what the query says counts where the header says
  /// nothing.
  public boolean wantsTail(String logTypeOfQuery) {
    return logType.equalsIgnoreCase("tail")
        || (!logType.equalsIgnoreCase("none") && logTypeOfQuery.equalsIgnoreCase("tail"));
  }

  /// What goes to the function with the event.
  ///
  /// @throws ApiException when the client context is not base64
  public CallHeaders carried() {
    return traceparent.isEmpty() && tracestate.isEmpty() && clientContext.isEmpty()
        ? CallHeaders.NONE
        : new CallHeaders(traceparent, tracestate, decoded(clientContext));
  }

  /// Refuses who asks for a way of calling that is not there.
  ///
  /// @throws ApiException naming it
  public void check() {
    String type = invokeType.toLowerCase(Locale.ROOT);
    if (type.equals("event") || type.equals("stream")) {
      throw new ApiException(ErrorCode.NOT_IMPLEMENTED, "invoke type " + type);
    }
  }

  private static String decoded(String base64) {
    try {
      return new String(Base64.getDecoder().decode(base64), UTF_8);
    } catch (IllegalArgumentException e) {
      throw new ApiException(
          ErrorCode.INVALID_PARAMETER,
          Headers.CLIENT_CONTEXT + ": " + e.getMessage() + " (expected: base64 of JSON)");
    }
  }

  /// Keeps nothing of what was read.
  public void clear() {
    requestId = "";
    legacyRequestId = "";
    account = "";
    legacyAccount = "";
    invokeType = "";
    trigger = "";
    logType = "";
    logToBody = "";
    authorization = "";
    traceparent = "";
    tracestate = "";
    clientContext = "";
  }

  private void read(Map.Entry<CharSequence, CharSequence> header) {
    switch (header.getKey().length()) {
      case 8 -> logType = value(header, Headers.LOG_TYPE, logType);
      case 10 -> tracestate = value(header, TRACESTATE, tracestate);
      case 11 -> {
        logToBody = value(header, Headers.LOG_TO_BODY, logToBody);
        traceparent = value(header, TRACEPARENT, traceparent);
      }
      case 13 -> authorization = value(header, AUTHORIZATION, authorization);
      case 16 -> {
        legacyRequestId = value(header, Headers.LEGACY_REQUEST_ID, legacyRequestId);
        legacyAccount = value(header, Headers.LEGACY_ACCOUNT_ID, legacyAccount);
      }
      case 21 -> {
        requestId = value(header, Headers.REQUEST_ID, requestId);
        account = value(header, Headers.ACCOUNT_ID, account);
      }
      case 22 -> invokeType = value(header, Headers.INVOKE_TYPE, invokeType);
      case 23 -> trigger = value(header, Headers.TRIGGER, trigger);
      case 25 -> clientContext = value(header, Headers.CLIENT_CONTEXT, clientContext);
      default -> {} // Not ours.
    }
  }

  private static String value(
      Map.Entry<CharSequence, CharSequence> header, String name, String before) {
    return AsciiString.contentEqualsIgnoreCase(header.getKey(), name)
        ? header.getValue().toString().strip()
        : before;
  }
}
