package io.easyfaas.cli;

import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.stubs.registry.FunctionRoutes;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/// Lets the controller ask the registry in the same JVM: the same questions and answers as over
/// HTTP, at the price of a method call. Thread-safe.
final class LocalRegistry implements RegistryClient {
  private final FunctionRoutes registry;

  LocalRegistry(FunctionRoutes registry) {
    this.registry = registry;
  }

  @Override
  public FunctionDocument function(FunctionReference reference, String requestId) {
    return RegistryClient.complete(
        ask(
            () -> registry.function(reference.name(), reference.qualifier(), reference.account()),
            RegistryClient::noFunction));
  }

  @Override
  public RuntimeConfiguration runtime(String name, String requestId) {
    return ask(() -> registry.runtime(name), RegistryClient::noRuntime);
  }

  private static <T> T ask(
      Supplier<T> question, BiFunction<Integer, String, ApiException> refusal) {
    try {
      return question.get();
    } catch (ApiException e) {
      throw refusal.apply(e.code().status(), Json.PASCAL.writeText(e.document()));
    }
  }
}
