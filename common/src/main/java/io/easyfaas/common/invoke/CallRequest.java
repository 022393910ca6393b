package io.easyfaas.common.invoke;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;

/// A call to be made.
///
/// @param function which function, and in whose name
/// @param requestId names the call in logs and answers: 1 to 128 printable ASCII characters, see
///   {@link RequestIds}; nobody changes the bytes
/// @param terms how it is to be made
/// @param headers what goes with the event
/// @param event the function's input; whoever is given the request releases it
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record CallRequest(
    FunctionReference function,
    byte[] requestId,
    CallTerms terms,
    CallHeaders headers,
    ByteBuf event) {
  /// Checks that nothing is missing.
  public CallRequest {
    requireNonNull(function, "function");
    requireNonNull(requestId, "requestId");
    requireNonNull(terms, "terms");
    requireNonNull(headers, "headers");
    requireNonNull(event, "event");
  }
}
