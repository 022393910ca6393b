package io.easyfaas.controller.pool;

import java.time.Duration;

/// How far a pool goes.
///
/// @param maxIdle how long a warm slot is kept after its last call ended
/// @param maxQueue calls that may wait at once
/// @param maxQueueBytes bytes that waiting calls may keep in memory together
/// @param maxQueueWait how long a call waits for a slot, warming up not counted
/// @param patience how long a function without a slot lets others keep all of them
/// @param freezeAfter how long a warm slot runs on after its last call ended; zero = always
/// @param maxPrewarmed started runners kept ready for functions to come, all languages together
public record PoolLimits(
    Duration maxIdle,
    int maxQueue,
    long maxQueueBytes,
    Duration maxQueueWait,
    Duration patience,
    Duration freezeAfter,
    int maxPrewarmed) {}
