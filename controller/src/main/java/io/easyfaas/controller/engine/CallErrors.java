package io.easyfaas.controller.engine;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.List;

/// What callers are told about calls that go wrong before, or without, an answer of the runner's.
/// Pure.
final class CallErrors {
  private static final int MAX_ACCOUNT_CHARACTERS = 128;

  private record TimeoutError(String errorMessage) {}

  private CallErrors() {}

  /// Checks what a caller names, before it costs a look-up.
  ///
  /// @throws ApiException when it is not a revision of a function
  static void check(FunctionReference reference) {
    if (reference.account().length() > MAX_ACCOUNT_CHARACTERS) {
      // It is part of the cache's key.
      throw invalid(
          "account id of "
              + reference.account().length()
              + " characters (expected: at most "
              + MAX_ACCOUNT_CHARACTERS
              + ")",
          "");
    }
    if (!reference.isBrn() && FunctionBrn.isName(reference.name())) {
      checkQualifier(reference.qualifier());
      return;
    }
    try {
      if (!(FunctionBrn.parse(reference.name()).qualifier() instanceof Qualifier.Version)) {
        throw invalid("invalid brn", "brn: no version: \"" + reference.name() + "\"");
      }
    } catch (InvalidBrnException e) {
      throw invalid("invalid brn", String.valueOf(e.getMessage()));
    }
  }

  /// Whose function it is, for those who may not call it.
  static ApiException notTheOwner(String owner, String caller) {
    return new ApiException(ErrorCode.INVALID_CALLER, "owner id " + owner + " caller id " + caller);
  }

  /// No room for the call.
  static ApiException noRoom(String detail) {
    return new ApiException(ErrorCode.TOO_MANY_REQUESTS, "empty runtime", List.of(detail));
  }

  /// Nothing to run the call in.
  static ApiException noSandbox() {
    return new ApiException(ErrorCode.UNAVAILABLE, "no sandbox is free, and none can be made");
  }

  /// No room for the call, ever.
  static ApiException neverFits(String detail) {
    return new ApiException(ErrorCode.INVALID_PARAMETER, "no call can run", List.of(detail));
  }

  /// No more calls.
  static ApiException stopping() {
    return new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping");
  }

  /// Code could not be put into a sandbox.
  ///
  /// @param passes whether another try may succeed
  static ApiException warmup(String detail, boolean passes) {
    return passes
        ? new ApiException(
            ErrorCode.UNAVAILABLE, "the function could not be put into a sandbox", List.of(detail))
        : engine(detail);
  }

  /// The engine's own failure.
  static ApiException engine(String detail) {
    return new ApiException(ErrorCode.SERVICE, "", List.of(detail));
  }

  /// There is no code, though the registry still says where it is.
  static ApiException codeIsGone(ResolvedFunction function) {
    return engine(
        "the registry says so still: code location: "
            + function.document().code().location()
            + " does not exist");
  }

  /// The error object of a call that took too long.
  static byte[] timedOut(String requestId, ResolvedFunction function) {
    return Json.CAMEL.write(
        new TimeoutError(
            requestId + " Task timed out after " + function.timeout().toSeconds() + " seconds"));
  }

  private static void checkQualifier(String qualifier) {
    if (qualifier.isEmpty()) {
      throw invalid("missing query parameter Qualifier", "");
    }
    try {
      Qualifier.Version _ = new Qualifier.Version(qualifier);
    } catch (InvalidBrnException e) {
      throw invalid("invalid function qualifier", String.valueOf(e.getMessage()));
    }
  }

  /// A request that cannot be one.
  static ApiException invalid(String cause, String detail) {
    return new ApiException(
        ErrorCode.INVALID_PARAMETER, cause, detail.isEmpty() ? List.of() : List.of(detail));
  }
}
