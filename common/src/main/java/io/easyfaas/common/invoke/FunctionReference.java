package io.easyfaas.common.invoke;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.brn.FunctionBrn;

/// Which function is called, and in whose name.
///
/// @param name a plain name, or a full BRN with a version
/// @param qualifier the version a plain name comes with; empty for a BRN
/// @param account the caller's plain account id, empty when the call names none
/// @param authorization the caller's credentials as they came, empty when there are none or nobody
///   is to see them
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

  /// The same without what nobody is to see.
  public FunctionReference withoutAuthorization() {
    return authorization.isEmpty() ? this : new FunctionReference(name, qualifier, account, "");
  }
}
