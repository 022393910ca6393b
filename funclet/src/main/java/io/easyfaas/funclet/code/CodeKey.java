package io.easyfaas.funclet.code;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import java.util.regex.Pattern;

/// Whose code, and which. Accounts do not share unpacked code: neither its room, nor the locks and
/// cached pages of its files, by which one could tell what another runs.
///
/// @param account as in a BRN, or {@link #OTHER}
/// @param hash of the archive
public record CodeKey(String account, CodeHash hash) {
  /// The account of functions whose names are no BRNs.
  static final String OTHER = "other";

  private static final Pattern ACCOUNT = Pattern.compile("[0-9a-z]{32}|" + OTHER);

  /// Checks that the account is one segment of a path.
  public CodeKey {
    if (!ACCOUNT.matcher(account).matches()) {
      throw new IllegalArgumentException(
          "account: \"" + account + "\" (expected: " + ACCOUNT + ")");
    }
  }

  /// The code of a function.
  ///
  /// @param function its full name
  public static CodeKey of(String function, CodeHash hash) {
    try {
      return new CodeKey(FunctionBrn.parse(function).account(), hash);
    } catch (InvalidBrnException _) {
      return new CodeKey(OTHER, hash);
    }
  }

  static boolean isAccount(String text) {
    return ACCOUNT.matcher(text).matches();
  }

  @Override
  public String toString() {
    return account + "/" + hash.hex();
  }
}
