package io.easyfaas.controller.pool;

/// A kind of move of slots, as it is counted.
///
/// @param from name of the state before, see {@link SlotState#name}
/// @param to name of the state after
/// @param reason why
public record SlotMove(String from, String to, Reason reason) {}
