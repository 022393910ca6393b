package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.wire.RunnerExit;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;

/// A call that tells a queue what becomes of it.
final class RecordedCall implements RunnerCall {
  private final String id;
  private final String event;
  private final BlockingQueue<String> told;
  private volatile boolean abandoned;
  private volatile Runnable onAnswer = () -> {};
  private volatile Runnable onOtherEnd = () -> {};
  private volatile Runnable onEvent = () -> {};

  RecordedCall(String id, String event, BlockingQueue<String> told) {
    this.id = id;
    this.event = event;
    this.told = told;
  }

  /// Nobody waits for it any more.
  RecordedCall abandon() {
    abandoned = true;
    return this;
  }

  /// Runs first when the call is answered.
  RecordedCall onAnswer(Runnable action) {
    onAnswer = action;
    return this;
  }

  /// Runs first, once, when the call ends without an answer.
  RecordedCall onOtherEnd(Runnable action) {
    onOtherEnd = action;
    return this;
  }

  /// Runs when its event is taken.
  RecordedCall onEvent(Runnable action) {
    onEvent = action;
    return this;
  }

  private void ends() {
    Runnable action = onOtherEnd;
    onOtherEnd = () -> {};
    action.run();
  }

  @Override
  public byte[] requestId() {
    return id.getBytes(US_ASCII);
  }

  @Override
  public ByteBuf takeEvent() {
    onEvent.run();
    return Unpooled.copiedBuffer(event, UTF_8);
  }

  @Override
  public boolean isAbandoned() {
    return abandoned;
  }

  @Override
  public void logged(boolean stderr, ByteBuf text) {
    told.add(id + (stderr ? " stderr " : " logged ") + text.toString(UTF_8));
  }

  @Override
  public void answered(boolean failed, ByteBuf payload) {
    onAnswer.run();
    told.add(id + (failed ? " failed " : " answered ") + payload.toString(UTF_8));
  }

  @Override
  public void failed(Throwable cause) {
    ends();
    told.add(id + " failed in the engine: " + cause.getMessage());
  }

  @Override
  public void timedOut() {
    ends();
    told.add(id + " timed out");
  }

  @Override
  public void lost(Optional<RunnerExit> exit) {
    ends();
    told.add(id + " lost");
  }

  @Override
  public String toString() {
    return id;
  }
}
