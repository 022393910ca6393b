package io.easyfaas.httptrigger.event;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/// What the client of a trigger gets.
///
/// @param status 200 to 599
/// @param headers by name
/// @param body belongs to whoever sends it
public record TriggerResponse(int status, Map<String, String> headers, ByteBuf body) {
  /// Copies the headers.
  public TriggerResponse {
    headers = Map.copyOf(headers);
  }
}
