package io.easyfaas.stubs.registry;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionConfiguration.Environment;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.Concurrency;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.FunctionDocument.LogConfig;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes the documents of revisions: new ones, changed ones and published ones. Pure. The `Code` of
/// what it makes is empty; the store fills it.
final class RevisionDocuments {
  private static final String DEFAULT_RUNTIME = "nodejs8.5";
  private static final String DEFAULT_HANDLER = "index.handler";
  private static final int DEFAULT_TIMEOUT_SECONDS = 5;
  private static final int DEFAULT_MEMORY_MEBIBYTES = 128;

  /// What every change gives a revision anew.
  ///
  /// @param commitId unique
  /// @param lastModified RFC 3339
  record Stamp(String commitId, String lastModified) {}

  /// What identifies a zip.
  ///
  /// @param sha256 base64
  /// @param size bytes; absent when an older document did not say
  record Zip(String sha256, @Nullable Long size) {
    /// The zip a document names.
    static Zip of(FunctionDocument document) {
      return new Zip(document.configuration().codeSha256(), document.configuration().codeSize());
    }
  }

  private RevisionDocuments() {}

  /// A new revision: what the settings leave out, leave empty or set to 0 gets its default.
  static FunctionDocument created(
      FunctionBrn revision, String owner, FunctionSettings settings, Zip zip, Stamp stamp) {
    return document(
        new FunctionConfiguration(
            zip.sha256(),
            zip.size(),
            settings.description(),
            new Environment(settings.variables().orElse(Map.of())),
            revision.toString(),
            revision.name(),
            orDefault(settings.handler(), DEFAULT_HANDLER),
            stamp.lastModified(),
            orDefault(settings.memorySize(), DEFAULT_MEMORY_MEBIBYTES),
            orDefault(settings.runtime(), DEFAULT_RUNTIME),
            orDefault(settings.timeout(), DEFAULT_TIMEOUT_SECONDS),
            revision.qualifier().toString(),
            stamp.commitId(),
            owner,
            settings.podConcurrentQuota(),
            settings.logType()),
        settings.labels().orElse(Map.of()));
  }

  /// A revision with the members changed that the settings have.
  static FunctionDocument updated(
      FunctionDocument before, FunctionSettings settings, Zip zip, Stamp stamp) {
    FunctionConfiguration old = before.configuration();
    return document(
        new FunctionConfiguration(
            zip.sha256(),
            zip.size(),
            settings.description() == null ? old.description() : settings.description(),
            new Environment(settings.variables().orElse(old.variables())),
            old.functionArn(),
            old.functionName(),
            settings.handler() == null ? old.handler() : settings.handler(),
            stamp.lastModified(),
            settings.memorySize() == null ? old.memorySize() : settings.memorySize(),
            settings.runtime() == null ? old.runtime() : settings.runtime(),
            settings.timeout() == null ? old.timeout() : settings.timeout(),
            old.version(),
            stamp.commitId(),
            old.uid(),
            settings.podConcurrentQuota() == null
                ? old.podConcurrentQuota()
                : settings.podConcurrentQuota(),
            settings.logType() == null ? old.logType() : settings.logType()),
        settings.labels().orElse(before.tags()));
  }

  /// The same function as another revision.
  ///
  /// @param description absent or empty: that of the original
  static FunctionDocument published(
      FunctionDocument latest, FunctionBrn revision, @Nullable String description, Stamp stamp) {
    FunctionConfiguration from = latest.configuration();
    return document(
        new FunctionConfiguration(
            from.codeSha256(),
            from.codeSize(),
            description == null || description.isEmpty() ? from.description() : description,
            from.environment(),
            revision.toString(),
            from.functionName(),
            from.handler(),
            stamp.lastModified(),
            from.memorySize(),
            from.runtime(),
            from.timeout(),
            revision.qualifier().toString(),
            stamp.commitId(),
            from.uid(),
            from.podConcurrentQuota(),
            from.logType()),
        latest.tags());
  }

  /// Whether two revisions are the same to a user: all is equal but names, times and the
  /// description, which says something about one version.
  static boolean sameContent(FunctionDocument one, FunctionDocument other) {
    return comparable(one).equals(comparable(other));
  }

  private static FunctionDocument comparable(FunctionDocument document) {
    FunctionConfiguration from = document.configuration();
    return document(
        new FunctionConfiguration(
            from.codeSha256(),
            null,
            null,
            new Environment(from.variables()),
            "",
            from.functionName(),
            from.handler(),
            null,
            from.memoryMebibytesOrDefault(),
            from.runtime(),
            from.timeoutSecondsOrDefault(),
            null,
            null,
            from.uid(),
            from.concurrencyPerSandbox(),
            requireNonNullElse(from.logType(), "")),
        document.tags());
  }

  private static FunctionDocument document(
      FunctionConfiguration configuration, Map<String, String> tags) {
    return new FunctionDocument(
        new FunctionCode("", null, null),
        new Concurrency(null, 0),
        configuration,
        new LogConfig(requireNonNullElse(configuration.logType(), ""), "", ""),
        configuration.uid(),
        tags);
  }

  private static int orDefault(@Nullable Integer value, int defaultValue) {
    return value == null || value == 0 ? defaultValue : value;
  }

  private static String orDefault(@Nullable String value, String defaultValue) {
    return value == null || value.isEmpty() ? defaultValue : value;
  }
}
