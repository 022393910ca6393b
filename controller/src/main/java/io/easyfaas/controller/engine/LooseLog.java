package io.easyfaas.controller.engine;

import io.easyfaas.controller.runtime.FunctionLog;
import io.easyfaas.controller.userlog.LooseOutput;
import io.easyfaas.controller.userlog.Transcript.Source;
import io.netty.buffer.ByteBuf;
import java.time.InstantSource;

/// A function's log in the user log. Confined to the runner's event loop.
///
/// @param output where it is collected
/// @param clock tells when it arrives
public record LooseLog(LooseOutput output, InstantSource clock) implements FunctionLog {
  @Override
  public void printed(boolean stderr, ByteBuf text) {
    output.add(stderr ? Source.STDERR : Source.STDOUT, text.nioBuffer(), clock.millis());
  }

  @Override
  public void ended() {
    output.end();
  }
}
