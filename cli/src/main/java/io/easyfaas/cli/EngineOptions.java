package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.Headers;
import java.time.Duration;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/// Which engine a command talks to, and as whom.
final class EngineOptions {
  // A function may run for 15 minutes, and its call may wait for a slot before.
  private static final Duration TIMEOUT = Duration.ofMinutes(16);

  private static final Pattern ACCOUNT = Pattern.compile("[!-~]{1,128}"); // What a header takes.

  @Option(
      names = "--controller",
      paramLabel = "<address>",
      defaultValue = "${env:EASYFAAS_CONTROLLER:-http://127.0.0.1:8001}",
      description = "Address of the controller (default: ${DEFAULT-VALUE}).")
  private String controller = "";

  @Option(
      names = "--registry",
      paramLabel = "<address>",
      defaultValue = "${env:EASYFAAS_REGISTRY:-http://127.0.0.1:8002}",
      description = "Address of the function registry (default: ${DEFAULT-VALUE}).")
  private String registry = "";

  @Option(
      names = "--account",
      paramLabel = "<id>",
      defaultValue = "${env:EASYFAAS_ACCOUNT:-df391b08c64c426a81645468c75163a5}",
      description = "The account that owns the functions (default: the engine's own).")
  private String account = Account.DEFAULT.id();

  /// Asks the function registry.
  ///
  /// @throws EngineException when it refuses
  HttpResponse askRegistry(HttpRequest request) {
    return accepted(send(registry, "--registry", request));
  }

  /// Asks the controller.
  ///
  /// @throws EngineException when it refuses
  HttpResponse askController(HttpRequest request) {
    return accepted(send(controller, "--controller", request));
  }

  /// The full name of what the user wrote.
  ///
  /// @throws ConfigException when it names no function
  FunctionBrn function(String text, Qualifier otherwise) {
    try {
      FunctionBrn brn = FunctionBrn.resolve(text, account());
      return brn.qualifier() instanceof Qualifier.Absent ? brn.withQualifier(otherwise) : brn;
    } catch (InvalidBrnException e) {
      throw new ConfigException(String.valueOf(e.getMessage()));
    }
  }

  private Account account() {
    if (!ACCOUNT.matcher(account).matches()) {
      throw new ConfigException(
          "--account: \"" + account + "\" (expected: 1 to 128 letters, digits or signs)");
    }
    return new Account(account);
  }

  private HttpResponse send(String address, String flag, HttpRequest request) {
    HttpAddress server;
    try {
      server = HttpAddress.parse(address);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(flag + ": " + e.getMessage());
    }
    try (EventLoops loops = new EventLoops(1);
        HttpClient client = new HttpClient(server, loops)) {
      return client.send(request.withHeader(Headers.ACCOUNT_ID, account().id()), TIMEOUT);
    } catch (HttpException e) {
      String hint =
          e.isUnreached()
              ? ". Hint: start an engine with \"easyfaas up\", or say with " + flag + " where it is"
              : "";
      throw new EngineException(e.getMessage() + hint);
    }
  }

  private static HttpResponse accepted(HttpResponse response) {
    if (response.status() < 300) {
      return response;
    }
    throw new EngineException(explain(response));
  }

  private static String explain(HttpResponse response) {
    try {
      ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
      StringBuilder text = new StringBuilder();
      text.append(error.message());
      if (error.cause() != null) {
        text.append(": ").append(error.cause());
      }
      error.backtrace().forEach(step -> text.append(": ").append(reason(step.message())));
      return text + " (" + response.status() + ")";
    } catch (JsonException _) {
      return response.text() + " (" + response.status() + ")";
    }
  }

  /// What led to a failure may be told by the document of another one, for example the registry's.
  private static String reason(String message) {
    if (message.startsWith("{")) {
      try {
        ErrorDocument inner = Json.PASCAL.read(message.getBytes(UTF_8), ErrorDocument.class);
        return inner.cause() == null ? inner.message() : inner.cause();
      } catch (JsonException _) {
        // Then it is text.
      }
    }
    return message;
  }
}
