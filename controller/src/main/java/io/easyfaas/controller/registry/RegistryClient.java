package io.easyfaas.controller.registry;

import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;

/// Where functions come from. Thread-safe; every call blocks, at most 30 s.
public interface RegistryClient {
  /// The document of a function's revision.
  ///
  /// @param requestId of the call that needs it, for the registry's logs
  /// @throws ApiException 404 when there is no such function, else 500
  FunctionDocument function(FunctionReference reference, String requestId);

  /// How a language runtime is started.
  ///
  /// @throws ApiException 404 when there is no such runtime, else 500
  RuntimeConfiguration runtime(String name, String requestId);
}
