package io.easyfaas.common.budget;

import java.util.Locale;

/// What bytes are, for whoever looks at where they are.
public enum ByteKind {
  /// Heads of requests that did not come in one piece.
  HEAD,
  /// Bodies of requests.
  BODY,
  /// Answers that their clients have not taken yet.
  ANSWER,
  /// What functions print and nobody has got yet.
  OUTPUT,
  /// Documents and code on their way to or from a registry.
  DOCUMENT;

  /// The name in metrics.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
