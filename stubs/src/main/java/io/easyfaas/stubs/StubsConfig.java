package io.easyfaas.stubs;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.stubs.registry.UploadLimits;
import io.easyfaas.stubs.store.StoreLimits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The configuration of the local registry.
///
/// @param address where it listens; port 0 lets the system choose
/// @param functionDirectory where functions are stored
/// @param runtimesDirectory where language runtimes are laid out, read only
/// @param uploads what is taken of code
/// @param limits what functions may take of the disk
public record StubsConfig(
    HttpAddress.Tcp address,
    Path functionDirectory,
    Path runtimesDirectory,
    UploadLimits uploads,
    StoreLimits limits) {
  /// Every key, with its default.
  public static List<Option> options() {
    return List.of(
        new Option("port", "port", "8002", "Port the registry listens on."),
        new Option("bind-address", "address", "127.0.0.1", "Address the registry listens on."),
        new Option("data-dir", "path", "/var/faas", "Directory of the engine's data."),
        new Option(
            "function-dir", "path", "", "Where functions are stored; data-dir/functions if empty."),
        new Option(
            "max-code-size", "size", "50MiB", "Largest code package, as a zip; at most 512MiB."),
        new Option(
            "max-uploads", "number", "16", "Code packages that are taken at once, at most 1000."),
        new Option(
            "max-upload-space", "size", "4GiB", "Disk space they may take until they are stored."),
        new Option(
            "functions-size",
            "size",
            "16GiB",
            "What all functions may take of the disk; at least 12KiB."),
        new Option(
            "functions-inodes",
            "number",
            "200000",
            "Files and directories of all functions; at least 3."),
        new Option(
            "functions-account-size",
            "size",
            "4GiB",
            "What one account's functions may take; at least 12KiB."),
        new Option(
            "functions-account-inodes",
            "number",
            "50000",
            "Files and directories of one account; at least 3."));
  }

  // A function's directory, its document and its code, each in a block.
  private static final ByteSize LEAST_FUNCTION = ByteSize.parse("12KiB");
  private static final int LEAST_INODES = 3;

  // What funclet fetches and unpacks.
  private static final ByteSize MAX_MAX_CODE_SIZE = ByteSize.ofMebibytes(512);

  /// Checks the limit.
  ///
  /// @throws ConfigException when the largest package is none, or more than the engine unpacks or
  ///   takes at once
  public StubsConfig {
    requireNonNull(address, "address");
    requireNonNull(functionDirectory, "functionDirectory");
    requireNonNull(runtimesDirectory, "runtimesDirectory");
    ByteSize maxCodeSize = uploads.maxCode();
    if (maxCodeSize.bytes() == 0 || maxCodeSize.compareTo(MAX_MAX_CODE_SIZE) > 0) {
      throw new ConfigException(
          "--max-code-size: \""
              + maxCodeSize
              + "\" (expected: more than 0B, at most "
              + MAX_MAX_CODE_SIZE
              + ")");
    }
    if (uploads.maxSpace().compareTo(maxCodeSize) < 0) {
      throw new ConfigException(
          "--max-upload-space: \""
              + uploads.maxSpace()
              + "\" (expected: at least --max-code-size, "
              + maxCodeSize
              + ")");
    }
  }

  /// Reads the configuration.
  ///
  /// @param args `--key value` or `--key=value`
  /// @param environment usually {@link System#getenv()}
  /// @throws ConfigException naming the key, the value and what was expected
  public static StubsConfig parse(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    Path data = settings.path("data-dir");
    boolean derived = settings.text("function-dir").isEmpty();
    return new StubsConfig(
        new HttpAddress.Tcp(settings.text("bind-address"), settings.port("port")),
        derived ? data.resolve("functions") : settings.path("function-dir"),
        data.resolve("runtimes"),
        new UploadLimits(
            settings.bytes("max-code-size"),
            settings.integer("max-uploads", 1, 1000),
            settings.bytes("max-upload-space")),
        new StoreLimits(
            functions(settings, "functions-"), functions(settings, "functions-account-")));
  }

  private static DiskUse functions(Settings settings, String whose) {
    return new DiskUse(
        settings.bytes(whose + "size", LEAST_FUNCTION).bytes(),
        settings.integer(whose + "inodes", LEAST_INODES, Integer.MAX_VALUE));
  }
}
