package io.easyfaas.funclet.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A directory that looks like a control group: plain files with the kernel's names.
final class FakeControlFiles {
  private FakeControlFiles() {}

  static Path group(Path group, Map<String, String> files) {
    try {
      Files.createDirectories(group);
      for (Map.Entry<String, String> file : files.entrySet()) {
        Files.writeString(group.resolve(file.getKey()), file.getValue() + "\n");
      }
      return group;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path group, String file) {
    try {
      return Files.readString(group.resolve(file)).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
