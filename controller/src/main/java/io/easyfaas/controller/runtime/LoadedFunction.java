package io.easyfaas.controller.runtime;

import java.time.Duration;

/// A function as its runner needs to know it.
///
/// @param load payload of the LOAD frame, see protocol.md §4
/// @param timeout the time one call may take
/// @param log takes what it prints outside of calls
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record LoadedFunction(byte[] load, Duration timeout, FunctionLog log) {}
