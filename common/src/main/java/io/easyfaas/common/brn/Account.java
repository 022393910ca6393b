package io.easyfaas.common.brn;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.easyfaas.common.hash.Digests;
import java.util.HexFormat;

/// A user account by its plain id. Inside a BRN the account appears hashed, see {@link #hash()}.
///
/// @param id the plain user id, not empty
public record Account(String id) {
  /// Who owns functions when nobody says otherwise: a machine with one user needs no account.
  public static final Account DEFAULT = new Account("df391b08c64c426a81645468c75163a5");

  private static final String SALT = "cloud-cfc-2017";

  /// Checks that the id is not empty.
  public Account {
    if (requireNonNull(id, "id").isEmpty()) {
      throw new IllegalArgumentException("account: \"\" (expected: a user id)");
    }
  }

  /// The account field of a BRN: 32 lower-case hexadecimal digits, the MD5 of the id and a fixed
  /// salt. It is a name, not a secret: MD5 is what existing BRNs were made with.
  public String hash() {
    return HexFormat.of().formatHex(Digests.md5().digest((id + SALT).getBytes(UTF_8)));
  }
}
