package io.easyfaas.common.http;

import io.easyfaas.common.wire.ApiException;

/// Answers requests. Called on a virtual thread of its own for each request, so it may block.
@FunctionalInterface
public interface HttpHandler {
  /// Answers one request.
  ///
  /// @throws ApiException to answer with an error object; anything else thrown is answered with 500
  ///   and logged
  HttpResponse handle(HttpRequest request);
}
