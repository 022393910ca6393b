package io.easyfaas.controller.runtime;

import java.util.List;

/// What becomes of a runner. Called on the runner's event loop; must not block.
public interface RunnerEvents {
  /// LOAD has been sent.
  void loading(Runner runner);

  /// The function is loaded: calls may be sent, also from within. Comes once, before all below.
  void ready(Runner runner);

  /// A call did not end in time and was told so. The runner may be busy with it for ever.
  void timedOut(Runner runner);

  /// The runner says that it ends: it must be sent no more calls.
  void ending(Runner runner);

  /// The runner is gone or must go.
  ///
  /// @param pending calls that were in flight; the receiver tells them, see {@link RunnerCall#lost}
  void lost(Runner runner, RunnerLoss why, List<RunnerCall> pending);
}
