package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells calls how they end: each is told something, whatever fails. Pure, but for what is logged.
public final class CallEnds {
  private static final Logger LOG = LoggerFactory.getLogger(CallEnds.class);

  private CallEnds() {}

  /// Tells several calls. Throws nothing; one that cannot be told keeps no other from it.
  public static void tell(List<RunnerCall> calls, Consumer<RunnerCall> end) {
    for (RunnerCall call : calls) {
      try {
        end.accept(call);
      } catch (Throwable e) {
        fail(call, e);
      }
    }
  }

  /// Tells a call that the engine failed, which is logged. Throws nothing.
  static void fail(RunnerCall call, Throwable cause) {
    try {
      call.failed(cause);
    } catch (Throwable e) {
      cause.addSuppressed(e);
    }
    LOG.error("call {} failed in the engine", new String(call.requestId(), US_ASCII), cause);
  }
}
