package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.RunnerHello;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says whose it is what a sandbox prints, see protocol.md §1. Confined to the runner's event loop.
///
/// The only call in flight is whose raw output it is, and output that the runner cannot name a call
/// for. With none or several it is the function's. What comes while the function is loaded is kept
/// for the first call besides; what comes before LOAD is the runner's own and of interest only when
/// it does not come up.
final class SandboxOutput implements OutputPipe.Sink, NamedOutput.Sink {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxOutput.class);

  private final CallsInFlight calls;
  private final StrayOutput stray;
  private final NamedOutput named = new NamedOutput();
  private final Utf8Join join = new Utf8Join();
  private @Nullable FunctionLog function;
  private @Nullable LoadingOutput loading;
  private @Nullable OutputPipe pipe;
  private boolean isLoading;
  private boolean isAhead;
  private boolean tookAll;
  private boolean isBehind;

  /// @param stray gets what is printed and belongs to no call
  SandboxOutput(CallsInFlight calls, StrayOutput stray) {
    this.calls = calls;
    this.stray = stray;
  }

  /// The runner says how it marks what it prints.
  ///
  /// @throws ProtocolException when that is no mark
  void greeted(RunnerHello hello) throws ProtocolException {
    String mark = hello.outputMark();
    try {
      named.mark(mark == null ? null : HexFormat.of().parseHex(mark));
    } catch (IllegalArgumentException _) {
      throw new ProtocolException("a mark that is not hexadecimal");
    }
  }

  /// From now on what is printed is a function's.
  void loads(FunctionLog whose) {
    function = whose;
    loading = new LoadingOutput();
    isLoading = true;
  }

  /// What was printed while the function was loaded, in vain: the rest of a character that was
  /// begun does not come.
  List<Printed> whileLoading() {
    join.flush(rest -> nameless(false, rest));
    LoadingOutput kept = loading;
    return kept == null ? List.of() : kept.all();
  }

  /// The function is loaded: what is printed from now on is no call's to come.
  void loaded() {
    isLoading = false;
  }

  /// Gives the first call what was printed while the function was loaded for it.
  void begins(RunnerCall call) {
    LoadingOutput kept = loading;
    if (kept != null) {
      loading = null;
      kept.all().forEach(each -> log(call, each.stderr(), Unpooled.wrappedBuffer(each.text())));
    }
  }

  @Override
  public int printed(ByteBuf text) {
    return named.add(text, this);
  }

  @Override
  public void raw(ByteBuf text) {
    join.add(text, whole -> nameless(false, whole));
  }

  /// The pipe that raw output comes from.
  void comesFrom(OutputPipe outputPipe) {
    pipe = outputPipe;
  }

  /// Something has come from the runner; what it wrote before is in the pipe.
  void heard() {
    isAhead = false;
  }

  /// Takes the raw output that was written before what came from the runner, unless that has been
  /// done since: it is older, and of a call that is answered it is the last.
  void readAhead() {
    OutputPipe from = pipe;
    if (!isAhead) {
      isAhead = true;
      tookAll = from == null || from.drain();
    }
  }

  /// Takes a LOG frame.
  void framed(byte flags, int id, ByteBuf text) {
    readAhead();
    named((flags & FrameType.FLAG_STDERR) != 0, id, text);
  }

  @Override
  public void named(boolean stderr, int id, ByteBuf text) {
    RunnerCall call = calls.get(id);
    if (call != null) {
      log(call, stderr, text);
    } else if (id == 0) {
      nameless(stderr, text);
    } else {
      functions(stderr, text); // Of a call that has been answered: not another's.
    }
  }

  @Override
  public void caughtUp() {
    isBehind = false;
  }

  /// A call is about to be told its answer, after which nothing is its any more. When there is more
  /// raw output than can be taken now, what is left may be of this call, and is not another's.
  void answers() {
    readAhead();
    join.flush(rest -> nameless(false, rest));
    isBehind = !tookAll;
  }

  /// Nothing more will come.
  void close() {
    named.close(this);
    join.flush(rest -> functions(false, rest));
    FunctionLog whose = function;
    function = null;
    if (whose != null) {
      whose.ended();
    }
  }

  private void nameless(boolean stderr, ByteBuf text) {
    RunnerCall only = isBehind ? null : calls.only();
    if (only != null) {
      log(only, stderr, text);
    } else {
      functions(stderr, text);
    }
  }

  private void functions(boolean stderr, ByteBuf text) {
    stray.add(text);
    FunctionLog whose = function;
    if (whose != null) {
      try {
        whose.printed(stderr, text);
      } catch (RuntimeException | OutOfMemoryError e) {
        LOG.error("output of a function is lost", e);
      }
    }
    LoadingOutput kept = loading;
    if (isLoading && kept != null) {
      kept.add(stderr, text);
    }
  }

  private static void log(RunnerCall call, boolean stderr, ByteBuf text) {
    try {
      call.logged(stderr, text);
    } catch (RuntimeException | OutOfMemoryError e) {
      LOG.error("output of a call is lost", e); // The call itself is not.
    }
  }
}
