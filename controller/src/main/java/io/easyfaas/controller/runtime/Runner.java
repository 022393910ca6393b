package io.easyfaas.controller.runtime;

/// A connected runner with a loaded function. Thread-safe; nothing blocks.
public interface Runner {
  /// Sends a call. The call hears back exactly once, unless it is cancelled.
  ///
  /// A runner that is gone already counts the call among those lost with it, see {@link
  /// RunnerEvents#lost}.
  void invoke(RunnerCall call);

  /// Tells the runner that nobody waits for a call any more. The call still hears back, since it
  /// occupies the runner until it ends.
  void cancel(RunnerCall call);

  /// So many bytes of a call's answer in parts have left the engine: as many more may come. Does
  /// nothing when the call is in flight no more.
  void taken(RunnerCall call, int bytes);

  /// Looks for what is late: the answer to a ping, or calls past their deadline. To be called about
  /// once a second.
  void check();

  /// Calls sent and not yet answered. Exact on the runner's event loop, else a snapshot.
  int inFlight();
}
