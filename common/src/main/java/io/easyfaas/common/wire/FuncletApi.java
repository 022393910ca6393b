package io.easyfaas.common.wire;

import java.util.List;

/// What the controller asks of funclet. Implemented by funclet itself (one JVM) and by a client
/// over funclet's unix socket.
///
/// Every call blocks until done, at most its documented time, and throws {@link ApiException} when
/// it failed. Calls for different containers run side by side; a second call for a container that
/// is busy is refused with {@link ErrorCode#RESOURCE_CONFLICT}. Thread-safe.
public interface FuncletApi {
  /// The socket it has in the run directory, unless it is told another one.
  String SOCKET = ".funcletapi.sock";

  /// Whether funclet did not answer when it was last asked: it has ended, and its sandboxes with
  /// it, or has not begun, or stands still. One that is slow with one request and answers others is
  /// not gone. Returns at once.
  default boolean isGone() {
    return false;
  }

  /// Bytes of code that are got ready a second, at least.
  long LEAST_CODE_RATE = 1 << 20;

  /// Capacity and the memory ledger. At most 10 s.
  FuncletNode node();

  /// Every container, in slot order. At most 10 s.
  List<ContainerInfo> list();

  /// One container with live statistics. At most 10 s.
  ContainerInfo container(ContainerId id);

  /// Reserves the base memory, mounts a language runtime into the waiting sandbox and starts its
  /// runner, which inherits the channel that is made for it and waits for a function. At most 10 s;
  /// on failure the container is as before.
  ///
  /// Until it is warmed up the container has the smallest weight for the processor: what only
  /// stands by holds up nobody.
  WarmupResponse prewarm(PrewarmRequest request);

  /// Reserves the function's memory, mounts its code and runtime into the waiting sandbox and
  /// starts the runner, which inherits the channel that is made for it. In a container that was
  /// prewarmed for the same runtime only the code is still to be mounted. At most 10 s, and a
  /// second for each MiB of code; on failure the container is cold.
  WarmupResponse warmup(WarmupRequest request);

  /// Pauses everything that runs in a warm container: it uses no processor time until it is thawed
  /// or reset. At most 2 s. Safe to call twice.
  void freeze(FreezeRequest request);

  /// Ends the pause of a warm container. At most 2 s. Safe to call twice.
  void thaw(FreezeRequest request);

  /// Takes a healthy container back: the sandbox is destroyed and made anew, its memory released.
  /// At most 30 s.
  ResetResponse cooldown(ResetRequest request);

  /// Repairs a broken container. Does what cooldown does; the two differ in logs and metrics. Safe
  /// to call twice.
  ResetResponse reborn(ResetRequest request);
}
