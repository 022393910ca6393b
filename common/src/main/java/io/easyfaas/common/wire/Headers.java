package io.easyfaas.common.wire;

/// HTTP header names of the public API. Matching is case-insensitive; the `X-Bce-` spellings of
/// older clients are accepted where a constant for one exists.
public final class Headers {
  /// The caller's id of a request; answered with the same value.
  public static final String REQUEST_ID = "X-Easyfaas-Request-Id";

  /// Older spelling of {@link #REQUEST_ID}.
  public static final String LEGACY_REQUEST_ID = "X-Bce-Request-Id";

  /// The caller's plain account id.
  public static final String ACCOUNT_ID = "X-Easyfaas-Account-Id";

  /// Older spelling of {@link #ACCOUNT_ID}.
  public static final String LEGACY_ACCOUNT_ID = "X-Bce-Account-Id";

  /// `common`, `event`, `stream` or `mqhub`.
  public static final String INVOKE_TYPE = "X-Easyfaas-Invoke-Type";

  /// What made the call: `generic`, `faas-http-trigger`, …
  public static final String TRIGGER = "X-Easyfaas-Faas-Trigger";

  /// What a caller says about itself to the function: base64 of JSON.
  public static final String CLIENT_CONTEXT = "X-Easyfaas-Client-Context";

  /// `None` or `Tail`.
  public static final String LOG_TYPE = "Log-Type";

  /// `true`: the answer is a JSON object with payload and log.
  public static final String LOG_TO_BODY = "Log-To-Body";

  /// `Unhandled` when the function or the engine failed.
  public static final String FUNCTION_ERROR = "X-Easyfaas-Function-Error";

  /// Milliseconds with three decimals.
  public static final String EXEC_TIME = "X-Easyfaas-Function-Exectime";

  /// Base64 of the log's tail.
  public static final String LOG_RESULT = "X-Bce-Log-Result";

  /// Seconds after which an overloaded engine may be asked again (RFC 9110 §10.2.3).
  public static final String RETRY_AFTER = "Retry-After";

  private Headers() {}
}
