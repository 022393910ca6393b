package io.easyfaas.controller.registry;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.brn.FunctionBrn;

/// What a caller names when they ask for a function.
///
/// @param name a plain name, or a full BRN with a version
/// @param qualifier the version a plain name comes with; empty for a BRN
/// @param account the caller's plain account id, empty when the call names none
/// @param authorization the caller's `Authorization` when the registry is to see it, else empty
public record FunctionReference(
    String name, String qualifier, String account, String authorization) {
  /// Checks that nothing is missing.
  public FunctionReference {
    requireNonNull(name, "name");
    requireNonNull(qualifier, "qualifier");
    requireNonNull(account, "account");
    requireNonNull(authorization, "authorization");
  }

  /// Whether the name is a BRN.
  public boolean isBrn() {
    return FunctionBrn.looksLikeBrn(name);
  }

  /// Whether the version never changes under this name: anything but `$LATEST`.
  public boolean isFixed() {
    return !(isBrn() ? name : qualifier).endsWith("$LATEST");
  }
}
