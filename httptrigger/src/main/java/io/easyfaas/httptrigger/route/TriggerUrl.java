package io.easyfaas.httptrigger.route;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.util.List;
import java.util.regex.Pattern;

/// The function a URL means: `/{userID}/{function}[/{version}]`.
///
/// @param account the owner, who counts as the caller
/// @param function with a version
record TriggerUrl(Account account, FunctionBrn function) {
  private static final Pattern USER_ID = Pattern.compile("[A-Za-z0-9_]{1,128}");
  private static final Pattern VERSION = Pattern.compile("\\$LATEST|[0-9]{1,18}");
  private static final String PARTITION = "cloud";

  /// Reads the decoded segments of a path.
  ///
  /// @param segments two or three
  /// @throws ApiException INVALID_REQUEST naming the segment and what was expected
  static TriggerUrl of(List<String> segments, String region) {
    String userId = segments.get(0);
    String name = segments.get(1);
    String version = segments.size() > 2 ? segments.get(2) : "$LATEST";
    if (!USER_ID.matcher(userId).matches()) {
      throw invalid("missing userID", userId, "letters, digits and _");
    }
    if (!FunctionBrn.isName(name)) {
      throw invalid("invalid function name", name, "up to 64 letters, digits, - and _");
    }
    if (!VERSION.matcher(version).matches()) {
      throw invalid("invalid version", version, "$LATEST or digits");
    }
    Account account = new Account(userId);
    return new TriggerUrl(
        account,
        new FunctionBrn(PARTITION, region, account.hash(), name, new Qualifier.Version(version)));
  }

  private static ApiException invalid(String what, String value, String expected) {
    return new ApiException(
        ErrorCode.INVALID_REQUEST, what + ": \"" + value + "\" (expected: " + expected + ")");
  }
}
