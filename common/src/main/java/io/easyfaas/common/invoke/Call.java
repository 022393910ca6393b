package io.easyfaas.common.invoke;

/// A caller's hold on a call that has begun. Thread-safe; nothing here blocks, and nothing happens
/// when the call has ended.
public interface Call {
  /// A call that has ended before it began.
  Call ENDED =
      new Call() {
        @Override
        public void cancel() {}

        @Override
        public void taken(int bytes) {}
      };

  /// Nobody waits for the answer any more. A call that has not begun does not begin; one that runs
  /// is told so, and may go on. Safe to call twice.
  void cancel();

  /// So many bytes of a stream's parts have left the sink: as many more may come.
  void taken(int bytes);
}
