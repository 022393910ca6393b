package io.easyfaas.common.budget;

/// What work that takes long owes to others: virtual threads leave their processor by themselves
/// only where they wait (JEP 444), and there are as few processors for them as the machine has.
public final class LongWork {
  private LongWork() {}

  /// Lets those have the processor who waited for it meanwhile. To be called at least every
  /// millisecond. Does nothing on other threads, which the system interrupts by itself.
  @SuppressWarnings("ThreadPriorityCheck") // No other thread is waited for.
  public static void giveWay() {
    if (Thread.currentThread().isVirtual()) {
      Thread.yield();
    }
  }
}
