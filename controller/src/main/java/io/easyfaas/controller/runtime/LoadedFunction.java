package io.easyfaas.controller.runtime;

import java.time.Duration;

/// A function as its runner needs to know it.
///
/// @param account whose it is: answers for what its runner says until others do
/// @param load payload of the LOAD frame, see protocol.md §4
/// @param timeout the time one call may take
/// @param log takes what it prints outside of calls
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record LoadedFunction(String account, byte[] load, Duration timeout, FunctionLog log) {}
