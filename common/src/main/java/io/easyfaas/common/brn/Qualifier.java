package io.easyfaas.common.brn;

import java.util.regex.Pattern;

/// Which revision of a function is meant.
public sealed interface Qualifier {
  /// The revision that changes with every update.
  Qualifier LATEST = new Version("$LATEST");

  /// No revision was named.
  record Absent() implements Qualifier {
    @Override
    public String toString() {
      return "";
    }
  }

  /// A version: `$LATEST` or digits.
  ///
  /// @param text as written in a BRN
  record Version(String text) implements Qualifier {
    private static final Pattern FORM = Pattern.compile("\\$LATEST|[0-9]{1,18}");

    /// Checks the form.
    public Version {
      if (!FORM.matcher(text).matches()) {
        throw new InvalidBrnException(
            "version: \"" + text + "\" (expected: $LATEST or up to 18 digits)");
      }
    }

    /// Whether the revision may change under this name.
    public boolean isLatest() {
      return text.equals("$LATEST");
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /// A name that the registry resolves to a version.
  ///
  /// @param text letters, digits, `-` and `_`, not digits alone
  record Alias(String text) implements Qualifier {
    private static final Pattern FORM = Pattern.compile("(?![0-9]+$)[A-Za-z0-9_-]{1,64}");

    /// Checks the form.
    public Alias {
      if (!FORM.matcher(text).matches()) {
        throw new InvalidBrnException(
            "qualifier: \""
                + text
                + "\" (expected: $LATEST, up to 18 digits, or letters, digits, - and _)");
      }
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /// Reads a qualifier.
  ///
  /// @throws InvalidBrnException when it is neither a version nor an alias
  static Qualifier parse(String text) {
    return Version.FORM.matcher(text).matches() ? new Version(text) : new Alias(text);
  }
}
