package io.easyfaas.common.invoke;

import static java.util.Objects.requireNonNull;

/// What a call carries to the function besides its event. Absent ones are empty.
///
/// @param traceparent where the call is in a trace (W3C Trace Context §3.2)
/// @param tracestate what tracing systems add to that (§3.3)
/// @param clientContext what the caller says about itself, JSON; anybody may say anything
public record CallHeaders(String traceparent, String tracestate, String clientContext) {
  /// Nothing at all.
  public static final CallHeaders NONE = new CallHeaders("", "", "");

  /// Checks that nothing is missing.
  public CallHeaders {
    requireNonNull(traceparent, "traceparent");
    requireNonNull(tracestate, "tracestate");
    requireNonNull(clientContext, "clientContext");
  }
}
