package io.easyfaas.common.http;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;

/// Netty's epoll, but for one fault of 4.2.18: it takes a socket that has nothing to wait for out
/// of the set and never puts it in again, so that whatever it waits for next fails with `ENOENT`
/// and ends its connection. That is where a client that has closed its side comes to when its
/// answer is not taken at once. Here such a socket stays in the set and waits for nothing: edge
/// triggered, so that an end nobody looks at is told once. As thread-safe as what it wraps.
record EpollLoop(IoHandler epoll) implements IoHandler {
  static IoHandlerFactory factory() {
    IoHandlerFactory epoll = EpollIoHandler.newFactory();
    return executor -> new EpollLoop(epoll.newHandler(executor));
  }

  @Override
  public void initialize() {
    epoll.initialize();
  }

  @Override
  public int run(IoHandlerContext context) {
    return epoll.run(context);
  }

  @Override
  public void prepareToDestroy() {
    epoll.prepareToDestroy();
  }

  @Override
  public void destroy() {
    epoll.destroy();
  }

  @Override
  public IoRegistration register(IoHandle handle) throws Exception {
    return new Registration(epoll.register(handle));
  }

  @Override
  public void wakeup() {
    epoll.wakeup();
  }

  @Override
  public boolean isCompatible(Class<? extends IoHandle> type) {
    return epoll.isCompatible(type);
  }

  private record Registration(IoRegistration socket) implements IoRegistration {
    @Override
    @SuppressWarnings("TypeParameterUnusedInFormals") // Netty's.
    public <T> T attachment() {
      return socket.attachment();
    }

    @Override
    public long submit(IoOps ops) {
      return socket.submit(EpollIoOps.NONE.equals(ops) ? EpollIoOps.EPOLLET : ops);
    }

    @Override
    public boolean isValid() {
      return socket.isValid();
    }

    @Override
    public boolean cancel() {
      return socket.cancel();
    }
  }
}
