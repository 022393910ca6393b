package io.easyfaas.controller.registry;

import static java.util.Objects.requireNonNull;

/// The identity of one revision of one owner's function: a warm sandbox serves calls of exactly one
/// key. The commit id alone would not do, since registries exist that give many functions the same.
///
/// @param commitId changes with every change of code or configuration
/// @param brn full BRN with the version
/// @param uid the owner's plain account id
public record FunctionKey(String commitId, String brn, String uid) {
  /// Checks that nothing is missing.
  public FunctionKey {
    requireNonNull(commitId, "commitId");
    requireNonNull(brn, "brn");
    requireNonNull(uid, "uid");
  }
}
