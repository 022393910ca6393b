package io.easyfaas.controller.call;

import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// A door behind which the test itself is the function.
final class FakeInvoker implements Invoker {
  /// A call the test has to answer.
  static final class Held implements Call {
    final CallRequest request;
    final CallSink sink;
    final CountDownLatch cancelled = new CountDownLatch(1);
    final AtomicLong taken = new AtomicLong();

    private Held(CallRequest request, CallSink sink) {
      this.request = request;
      this.sink = sink;
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
    request.event().release();
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
