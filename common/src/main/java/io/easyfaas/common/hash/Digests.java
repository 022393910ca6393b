package io.easyfaas.common.hash;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// The digests that every Java has. Thread-safe; what is returned is not.
///
/// Each is a copy of one that has seen nothing: in an engine that just started, asking the security
/// providers takes ten times as long, and the first call of a function needs three.
public final class Digests {
  private static final MessageDigest MD5 = find("MD5");
  private static final MessageDigest SHA_256 = find("SHA-256");

  private Digests() {}

  /// MD5 (RFC 1321), for names. Not for secrets, nor for what somebody could want to forge.
  public static MessageDigest md5() {
    return copy(MD5);
  }

  /// SHA-256 (FIPS 180-4).
  public static MessageDigest sha256() {
    return copy(SHA_256);
  }

  private static MessageDigest find(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has " + algorithm, e);
    }
  }

  private static MessageDigest copy(MessageDigest untouched) {
    try {
      return (MessageDigest) untouched.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("Java's own " + untouched + " can be copied", e);
    }
  }
}
