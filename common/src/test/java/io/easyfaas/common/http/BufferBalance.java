package io.easyfaas.common.http;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails a test class that lost a buffer: each one is tracked, and what the collector finds that
/// was never released is named with the places that touched it. Registered for every class, see
/// `META-INF/services`; it must be loaded before any buffer is made.
public final class BufferBalance implements AfterAllCallback {
  private static final int COLLECTIONS = 3;
  private static final int ALLOCATIONS = 256; // A detector looks for lost buffers when it is asked.
  private static final List<String> LOST = new CopyOnWriteArrayList<>();

  static {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(
        new ResourceLeakDetectorFactory() {
          @Override
          @SuppressWarnings("deprecation") // Abstract, and never called.
          public <T> ResourceLeakDetector<T> newResourceLeakDetector(
              Class<T> type, int interval, long maxActive) {
            return new Recorder<>(type, interval);
          }
        });
  }

  /// Called by JUnit.
  public BufferBalance() {}

  @Override
  public void afterAll(ExtensionContext context) {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
      for (int j = 0; j < ALLOCATIONS; j++) {
        ByteBufAllocator.DEFAULT.directBuffer(1).release();
        ByteBufAllocator.DEFAULT.compositeBuffer().release();
      }
    }
    List<String> lost = List.copyOf(LOST);
    LOST.clear();
    if (!lost.isEmpty()) {
      throw new AssertionError(
          context.getDisplayName() + " lost buffers:\n" + String.join("\n", lost));
    }
  }

  private static final class Recorder<T> extends ResourceLeakDetector<T> {
    @SuppressWarnings("deprecation") // The only constructor with the interval.
    Recorder(Class<T> type, int interval) {
      super(type, interval);
    }

    @Override
    protected boolean needReport() {
      return true;
    }

    @Override
    protected void reportTracedLeak(String resourceType, String records) {
      LOST.add(resourceType + records);
    }

    @Override
    protected void reportUntracedLeak(String resourceType) {
      LOST.add(resourceType);
    }
  }
}
