package io.easyfaas.controller.invoke;

import io.easyfaas.common.wire.Headers;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.Map;

/// The headers of an invocation that the engine reads. Absent ones are empty.
///
/// @param requestId the caller's id
/// @param account the caller's account
/// @param invokeType `common`, `event`, …; as given
/// @param trigger what made the call; as given
/// @param logType `None` or `Tail`; as given
/// @param logToBody `true` or something else
/// @param authorization credentials
record InvokeHeaders(
    String requestId,
    String account,
    String invokeType,
    String trigger,
    String logType,
    String logToBody,
    String authorization) {
  /// Reads them in one pass: a look-up of each of nine names would hash nine names. Of several
  /// values with one name the last wins; an older spelling counts when the newer is empty.
  static InvokeHeaders read(HttpHeaders headers) {
    String requestId = "";
    String legacyRequestId = "";
    String account = "";
    String legacyAccount = "";
    String invokeType = "";
    String trigger = "";
    String logType = "";
    String logToBody = "";
    String authorization = "";
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> header = all.next();
      CharSequence name = header.getKey();
      switch (name.length()) {
        case 8 -> logType = value(header, Headers.LOG_TYPE, logType);
        case 11 -> logToBody = value(header, Headers.LOG_TO_BODY, logToBody);
        case 13 -> authorization = value(header, "Authorization", authorization);
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
        default -> {} // Not ours.
      }
    }
    return new InvokeHeaders(
        requestId.isEmpty() ? legacyRequestId : requestId,
        account.isEmpty() ? legacyAccount : account,
        invokeType,
        trigger,
        logType,
        logToBody,
        authorization);
  }

  private static String value(
      Map.Entry<CharSequence, CharSequence> header, String name, String before) {
    return AsciiString.contentEqualsIgnoreCase(header.getKey(), name)
        ? header.getValue().toString().strip()
        : before;
  }
}
