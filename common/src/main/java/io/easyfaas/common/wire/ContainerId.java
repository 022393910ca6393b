package io.easyfaas.common.wire;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/// Names one slot: `<pod>-controller-c<index>`. Also the host name inside its sandbox.
///
/// @param value at most 63 characters (the kernel's limit for a host name is 64 bytes)
public record ContainerId(@JsonValue String value) implements Comparable<ContainerId> {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,62})");

  /// Checks the form.
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ContainerId {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "container id: \"" + value + "\" (expected: 1 to 63 letters, digits, '.', '_', '-')");
    }
  }

  /// The id of a Pod's slot.
  ///
  /// @param pod the Pod's name
  /// @param index from 0
  public static ContainerId of(String pod, int index) {
    return new ContainerId(pod + "-controller-c" + index);
  }

  @Override
  public int compareTo(ContainerId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
