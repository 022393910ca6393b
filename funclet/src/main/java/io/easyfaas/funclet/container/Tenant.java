package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;

/// What runs in a prewarmed or warm container.
///
/// @param function its full name with version, for logs; empty before there is one
/// @param memory its limit, reserved in the ledger
/// @param runnerPid its runner, seen from the host
/// @param runner how and whether the runner has ended
/// @param holdings what is given back when its sandbox is dead
record Tenant(
    String function, ByteSize memory, long runnerPid, RunnerWatch runner, Holdings holdings) {
  /// The same runner with a function.
  Tenant serving(String name, ByteSize limit) {
    return new Tenant(name, limit, runnerPid, runner, holdings);
  }
}
