package io.easyfaas.cli;

import picocli.CommandLine.Option;

/// `--output`, for every command whose answer a machine may read.
final class OutputOption {
  /// How an answer is written.
  enum Format {
    /// Columns for people.
    text,
    /// JSON.
    json
  }

  @Option(
      names = {"-o", "--output"},
      defaultValue = "text",
      paramLabel = "<format>",
      description = "How to print the answer: ${COMPLETION-CANDIDATES} (default: text).")
  private Format format = Format.text;

  boolean isJson() {
    return format == Format.json;
  }
}
