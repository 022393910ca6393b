package io.easyfaas.controller.pool;

/// When the steps of a slot's last warm-up happened, in milliseconds since the epoch; 0 = never.
///
/// @param mountStart funclet was asked to put the function in
/// @param mountEnd funclet had done so
/// @param loadStart the runner was connected
/// @param loadEnd the runner had loaded the function
public record WarmupTimes(long mountStart, long mountEnd, long loadStart, long loadEnd) {
  /// No warm-up yet.
  public static final WarmupTimes NONE = new WarmupTimes(0, 0, 0, 0);
}
