package io.easyfaas.common.brn;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.regex.Pattern;

/// The full name of a function: `brn:cloud:faas:<region>:<account
/// hash>:function:<name>[:<qualifier>]`.
///
/// @param partition `cloud`, optionally followed by letters and hyphens
/// @param region two to five lower-case letters and optional digits, for example `bj`
/// @param account the hashed account, 32 characters of `[0-9a-z]`
/// @param name the function's name: letters, digits, `-` and `_`
/// @param qualifier which revision is meant; absent when the text named none
public record FunctionBrn(
    String partition, String region, String account, String name, Qualifier qualifier) {
  /// The region of every function that does not name another one.
  public static final String DEFAULT_REGION = "bj";

  private static final String DEFAULT_PARTITION = "cloud";
  private static final Pattern PARTITION = Pattern.compile("cloud[A-Za-z-]*");
  private static final Pattern REGION = Pattern.compile("[a-z]{2,5}[0-9]*");
  private static final Pattern ACCOUNT = Pattern.compile("[0-9a-z]{32}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  /// Checks every part.
  ///
  /// @throws InvalidBrnException when a part does not have its form
  public FunctionBrn {
    check("partition", partition, PARTITION);
    check("region", region, REGION);
    check("account", account, ACCOUNT);
    check("function name", name, NAME);
    requireNonNull(qualifier, "qualifier");
  }

  /// The BRN of a function in the default partition and region.
  public static FunctionBrn of(Account account, String name, Qualifier qualifier) {
    return new FunctionBrn(DEFAULT_PARTITION, DEFAULT_REGION, account.hash(), name, qualifier);
  }

  /// Whether a text claims to be a full BRN rather than a plain function name.
  public static boolean looksLikeBrn(String text) {
    return text.indexOf(':') >= 0;
  }

  /// Whether a text can be the name of a function.
  public static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /// Reads a full BRN.
  ///
  /// @throws InvalidBrnException when the text is anything else
  public static FunctionBrn parse(String text) {
    String[] parts = text.split(":", 6);
    if (!parts[0].equals("brn")) {
      throw new InvalidBrnException("brn: invalid prefix: \"" + text + "\" (expected: brn:…)");
    }
    if (parts.length < 6) {
      throw new InvalidBrnException(
          "brn: not enough sections: \"" + text + "\" (expected: six, separated by colons)");
    }
    if (!parts[2].equals("faas")) {
      throw new InvalidBrnException("brn: service: \"" + parts[2] + "\" (expected: faas)");
    }
    List<String> resource = List.of(parts[5].split(":", -1));
    if (!resource.getFirst().equals("function") || resource.size() < 2 || resource.size() > 3) {
      throw new InvalidBrnException(
          "brn: resource: \"" + parts[5] + "\" (expected: function:<name>[:<qualifier>])");
    }
    Qualifier qualifier =
        resource.size() == 3 ? Qualifier.parse(resource.get(2)) : new Qualifier.Absent();
    return new FunctionBrn(parts[1], parts[3], parts[4], resource.get(1), qualifier);
  }

  /// Reads what a user may write for one of their functions: a full BRN, `name`, `name:qualifier`
  /// or `account hash:name[:qualifier]`.
  ///
  /// @param caller whose function a partial name means
  /// @throws InvalidBrnException when the text is none of these, or names another account
  public static FunctionBrn resolve(String text, Account caller) {
    if (text.startsWith("brn:")) {
      return parse(text);
    }
    List<String> parts = List.of(text.split(":", -1));
    boolean startsWithAccount = parts.getFirst().equals(caller.hash());
    if (startsWithAccount && parts.size() > 1) {
      parts = parts.subList(1, parts.size());
    }
    if (parts.size() > 2) {
      throw new InvalidBrnException(
          "function: \"" + text + "\" (expected: a BRN, name, or name:qualifier)");
    }
    Qualifier qualifier =
        parts.size() == 2 ? Qualifier.parse(parts.get(1)) : new Qualifier.Absent();
    return of(caller, parts.getFirst(), qualifier);
  }

  /// The same function at another revision.
  public FunctionBrn withQualifier(Qualifier other) {
    return new FunctionBrn(partition, region, account, name, other);
  }

  /// The function, whatever its revision.
  public FunctionBrn unqualified() {
    return withQualifier(new Qualifier.Absent());
  }

  /// The BRN's text.
  @Override
  public String toString() {
    String base = "brn:" + partition + ":faas:" + region + ":" + account + ":function:" + name;
    return qualifier instanceof Qualifier.Absent ? base : base + ":" + qualifier;
  }

  private static void check(String what, String value, Pattern pattern) {
    if (!pattern.matcher(requireNonNull(value, what)).matches()) {
      throw new InvalidBrnException(
          "brn: " + what + ": \"" + value + "\" (expected: " + pattern.pattern() + ")");
    }
  }
}
