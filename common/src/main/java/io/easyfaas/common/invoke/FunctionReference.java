package io.easyfaas.common.invoke;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.brn.FunctionBrn;
import org.jspecify.annotations.Nullable;

/// Which function is called, and in whose name.
///
/// Two references are equal when a registry has to answer them alike. A BRN names its owner, so
/// there the account only says who asks; it counts with a plain name, whose owner it is, and where
/// the registry sees who asks and may decide by it.
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

  /// How many characters it keeps in memory.
  public int characters() {
    return name.length() + qualifier.length() + account.length() + authorization.length();
  }

  @Override
  public boolean equals(@Nullable Object object) {
    return this == object
        || (object instanceof FunctionReference other
            && name.equals(other.name)
            && qualifier.equals(other.qualifier)
            && authorization.equals(other.authorization)
            && (!accountDecides() || account.equals(other.account)));
  }

  @Override
  public int hashCode() {
    int hash = (name.hashCode() * 31 + qualifier.hashCode()) * 31 + authorization.hashCode();
    return accountDecides() ? hash * 31 + account.hashCode() : hash;
  }

  private boolean accountDecides() {
    return !authorization.isEmpty() || !isBrn();
  }
}
