package io.easyfaas.common.json;

import java.io.IOException;
import java.io.OutputStream;

/// Where the bytes of a document's binary member go.
@FunctionalInterface
public interface BinarySink {
  /// Called once, when the member begins; not when it is absent or null. The stream stays open.
  /// What it throws unchecked, whoever reads the document gets.
  OutputStream open() throws IOException;
}
