package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;

/// The memory of a pool.
///
/// @param allocatable what all slots together may have
/// @param base what a slot without a function may use
public record PoolMemory(ByteSize allocatable, ByteSize base) {}
