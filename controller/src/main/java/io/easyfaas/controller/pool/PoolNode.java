package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import java.util.Optional;

/// What a pool's slots have on their machine or in their Pod.
///
/// @param allocatable memory that all slots together may have
/// @param baseMemory what a slot without a function may use
/// @param probe a program that can be started in every sandbox, to try whether it takes code
public record PoolNode(
    ByteSize allocatable, ByteSize baseMemory, Optional<RuntimeConfiguration> probe) {}
