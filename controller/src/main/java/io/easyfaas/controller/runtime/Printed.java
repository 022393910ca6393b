package io.easyfaas.controller.runtime;

/// Something that was printed.
///
/// @param text UTF-8
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record Printed(boolean stderr, byte[] text) {}
