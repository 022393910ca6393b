package io.easyfaas.common.wire;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a Pod has and uses, as the controller's `GET /v1/resource` shows it.
///
/// @param capacity all there is
/// @param allocatable capacity less what the engine keeps
/// @param used of slots whose runner is connected
/// @param marked held by slots, those that are being warmed up or reset included
/// @param defaults what one slot has; `Default` on the wire
/// @param baseMemory bytes one slot has unless its function asks for more
public record ServiceResource(
    Resource capacity,
    Resource allocatable,
    Resource used,
    Resource marked,
    @JsonProperty("Default") Resource defaults,
    long baseMemory) {}
