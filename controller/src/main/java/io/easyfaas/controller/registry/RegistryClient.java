package io.easyfaas.controller.registry;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where functions come from: a registry of this JVM, or one over HTTP. Thread-safe; every call
/// blocks.
public interface RegistryClient {
  /// Of a registry's error document, so many characters are passed on.
  int MAX_QUOTED_CHARACTERS = 1024;

  /// Statuses that say "not now": asking again later can help (RFC 9110 §15.6, RFC 6585 §4).
  Set<Integer> NOT_NOW = Set.of(429, 502, 503, 504);

  /// The document of a function's revision.
  ///
  /// @param requestId of the call that needs it, for the registry's logs
  /// @throws ApiException 404 when there is no such function, 503 when the registry is not there,
  ///   else 500
  FunctionDocument function(FunctionReference reference, String requestId);

  /// How a language runtime is started.
  ///
  /// @throws ApiException as for a function
  RuntimeConfiguration runtime(String name, String requestId);

  /// A document that was answered.
  ///
  /// @throws ApiException 500 when a member is missing that every function needs, or a number is
  ///   negative
  static FunctionDocument complete(FunctionDocument document) {
    check(document.code(), "Code");
    check(document.code().location(), "Code.Location");
    FunctionConfiguration configuration = document.configuration();
    check(configuration, "Configuration");
    check(configuration.functionName(), "Configuration.FunctionName");
    check(configuration.functionArn(), "Configuration.FunctionArn");
    check(configuration.handler(), "Configuration.Handler");
    check(configuration.codeSha256(), "Configuration.CodeSha256");
    checkNumber(configuration.timeout(), "Timeout", "seconds");
    checkNumber(configuration.memorySize(), "MemorySize", "mebibytes");
    checkNumber(configuration.podConcurrentQuota(), "PodConcurrentQuota", "calls");
    checkNumber(configuration.codeSize(), "CodeSize", "bytes");
    return document;
  }

  @SuppressWarnings("ConstantValue") // A document from elsewhere may lack any member.
  private static void check(Object member, String name) {
    if (member == null) {
      throw badAnswer("no " + name + " (expected: a function document)");
    }
  }

  private static void checkNumber(@Nullable Number number, String name, String unit) {
    if (number != null && number.longValue() < 0) {
      throw badAnswer(
          "Configuration." + name + ": " + number + " (expected: 0 or more " + unit + ")");
    }
  }

  /// What callers are told when a registry does not answer with a function.
  ///
  /// @param status its HTTP status
  /// @param answer its error document, cut after 1,024 characters
  static ApiException noFunction(int status, String answer) {
    return refusal(status, answer, "get function from data storer failed");
  }

  /// What callers are told when a registry does not answer with a runtime. As {@link #noFunction}.
  static ApiException noRuntime(int status, String answer) {
    return refusal(status, answer, "get runtime configuration from data storer failed");
  }

  /// What callers are told when a registry answers with what is of no use.
  ///
  /// @param detail what is wrong with it
  static ApiException badAnswer(String detail) {
    return new ApiException(ErrorCode.SERVICE, "", List.of("registry's answer: " + detail));
  }

  /// What callers are told when a registry is not there.
  ///
  /// @param detail what was tried
  static ApiException noAnswer(String detail) {
    return new ApiException(
        ErrorCode.UNAVAILABLE, "the function registry does not answer", List.of(detail));
  }

  private static ApiException refusal(int status, String answer, String notFound) {
    String quote = answer.substring(0, Math.min(answer.length(), MAX_QUOTED_CHARACTERS));
    if (status == ErrorCode.RESOURCE_NOT_FOUND.status()) {
      return new ApiException(ErrorCode.RESOURCE_NOT_FOUND, notFound, List.of(quote));
    }
    String answered = "registry answered " + status + ": " + quote;
    return NOT_NOW.contains(status)
        ? noAnswer(answered)
        : new ApiException(ErrorCode.SERVICE, "", List.of(answered));
  }
}
