package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;

/// The SHA-256 of a code archive.
///
/// @param hex 64 lower-case digits
public record CodeHash(String hex) {
  private static final int BYTES = 32;

  /// Reads a document's `CodeSha256`.
  ///
  /// @throws ApiException when it is not the base64 of 32 bytes
  public static CodeHash ofBase64(String text) {
    try {
      byte[] bytes = Base64.getDecoder().decode(text.getBytes(US_ASCII));
      if (bytes.length == BYTES) {
        return new CodeHash(HexFormat.of().formatHex(bytes));
      }
    } catch (IllegalArgumentException _) {
      // Falls through to the one message for both.
    }
    throw new ApiException(
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256: \"" + text + "\" (expected: base64 of " + BYTES + " bytes)");
  }

  static CodeHash of(MessageDigest finished) {
    return new CodeHash(HexFormat.of().formatHex(finished.digest()));
  }

  String base64() {
    return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(hex));
  }
}
