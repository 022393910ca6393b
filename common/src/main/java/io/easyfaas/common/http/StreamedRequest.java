package io.easyfaas.common.http;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCounted;

/// A request whose body is still coming. Whoever drops it releases it, which drops the body.
final class StreamedRequest extends DefaultHttpRequest implements ReferenceCounted {
  private final BodyStream body;
  private final long length;

  /// Takes over a head.
  ///
  /// @param length of the body; {@link HttpBody#UNKNOWN} when it is chunked
  StreamedRequest(HttpRequest head, BodyStream body, long length) {
    super(head.protocolVersion(), head.method(), head.uri(), head.headers());
    this.body = body;
    this.length = length;
  }

  BodyStream body() {
    return body;
  }

  long length() {
    return length;
  }

  @Override
  public int refCnt() {
    return 1; // It has one owner at a time and no memory of its own.
  }

  @Override
  public StreamedRequest retain() {
    return this;
  }

  @Override
  public StreamedRequest retain(int increment) {
    return this;
  }

  @Override
  public StreamedRequest touch() {
    return this;
  }

  @Override
  public StreamedRequest touch(Object hint) {
    return this;
  }

  @Override
  public boolean release() {
    body.close();
    return true;
  }

  @Override
  public boolean release(int decrement) {
    return release();
  }
}
