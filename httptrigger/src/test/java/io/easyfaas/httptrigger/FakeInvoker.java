package io.easyfaas.httptrigger;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.Receipt;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A door behind which the test itself is the function.
final class FakeInvoker implements Invoker {
  /// A call the test has to answer, and whose event it has to release.
  static final class Held implements Call {
    final CallRequest request;
    final CallSink sink;
    final CountDownLatch cancelled = new CountDownLatch(1);
    final AtomicInteger taken = new AtomicInteger();

    private Held(CallRequest request, CallSink sink) {
      this.request = request;
      this.sink = sink;
    }

    /// The event as text; it is released.
    String event() {
      String text = request.event().toString(UTF_8);
      request.event().release();
      return text;
    }

    void answer(String text) {
      ByteBuf answer = Unpooled.copiedBuffer(text, UTF_8);
      sink.answered(new Receipt(false, 1_000_000, ""), answer);
      answer.release();
    }

    @Override
    public void cancel() {
      cancelled.countDown();
    }

    @Override
    public void taken(int bytes) {
      taken.addAndGet(bytes);
    }
  }

  private final BlockingQueue<Held> held = new LinkedBlockingQueue<>();

  @Override
  public Call invoke(CallRequest request, CallSink sink) {
    Held call = new Held(request, sink);
    held.add(call);
    return call;
  }

  /// The next call that came in.
  Held next() throws InterruptedException {
    Held call = held.poll(20, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("no call in 20s");
    }
    return call;
  }
}
