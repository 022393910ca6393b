package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/// One connection to the engine, and byte by byte what a client does with it: also what no honest
/// one would. Not thread-safe.
final class RawClient implements AutoCloseable {
  private static final int CONNECT_MILLIS = 10_000;

  /// An answer as it came.
  ///
  /// @param headers by case-insensitive name
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Reply(int status, Map<String, String> headers, byte[] body) {
    Optional<String> header(String name) {
      return Optional.ofNullable(headers.get(name));
    }

    String text() {
      return new String(body, UTF_8);
    }

    @Override
    public String toString() {
      return status + " " + headers + " " + text().substring(0, Math.min(300, body.length));
    }
  }

  private final Socket socket;
  private final InputStream in;

  private RawClient(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  /// Connects to a port of the engine.
  static RawClient connect(int port) {
    return connect(port, new Socket());
  }

  /// Connects with a receive buffer that is full after a few kilobytes.
  static RawClient connectNarrow(int port) {
    try {
      Socket socket = new Socket();
      socket.setReceiveBufferSize(4096);
      return connect(port, socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static RawClient connect(int port, Socket socket) {
    try {
      socket.setTcpNoDelay(true);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
      return new RawClient(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The head of a call of `$LATEST` through the controller, for the account of most tests.
  static String invocation(String function, int length) {
    return invocation(EngineProcess.ACCOUNT, function, length);
  }

  /// The head of a call of `$LATEST` through the controller.
  static String invocation(String account, String function, int length) {
    return head("/v1/functions/" + function + "/invocations?Qualifier=$LATEST", account, length);
  }

  /// The head of a call through the HTTP trigger, for the account of most tests.
  static String request(String function, int length) {
    return request(EngineProcess.ACCOUNT, function, length);
  }

  /// The head of a call through the HTTP trigger.
  static String request(String account, String function, int length) {
    return head("/" + account + "/" + function, account, length);
  }

  private static String head(String target, String account, int length) {
    return """
    POST %s HTTP/1.1\r
    Host: engine\r
    X-easyfaas-Account-Id: %s\r
    Content-Length: %d\r
    \r
    """
        .formatted(target, account, length);
  }

  /// Sends text.
  ///
  /// @throws UncheckedIOException when the engine has closed the connection
  RawClient send(String text) {
    return send(text.getBytes(ISO_8859_1));
  }

  /// Sends bytes.
  ///
  /// @throws UncheckedIOException when the engine has closed the connection
  RawClient send(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Says that nothing more is sent; answers can still be read.
  RawClient endOutput() {
    try {
      socket.shutdownOutput();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads one answer.
  ///
  /// @throws UncheckedIOException when the connection ends before it is whole, or nothing comes for
  ///   so long
  Reply read(Duration patience) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    Reply head = read(patience, body);
    return new Reply(head.status(), head.headers(), body.toByteArray());
  }

  /// Reads one answer whose body is dropped as it comes, so that the client costs next to nothing.
  ///
  /// @param bytes is told how many there were
  /// @return the answer without its body
  /// @throws UncheckedIOException as {@link #read}
  Reply readOver(Duration patience, LongConsumer bytes) {
    long[] count = {0};
    Reply head =
        read(
            patience,
            new OutputStream() {
              @Override
              public void write(int one) {
                count[0]++;
              }

              @Override
              public void write(byte[] some, int offset, int length) {
                count[0] += length;
              }
            });
    bytes.accept(count[0]);
    return head;
  }

  private Reply read(Duration patience, OutputStream body) {
    try {
      socket.setSoTimeout((int) patience.toMillis());
      int status = status();
      Map<String, String> headers = headers();
      while (status < 200) { // Only says that the answer will come, see RFC 9110 §15.2.
        status = status();
        headers = headers();
      }
      String length = headers.get("Content-Length");
      if (length == null) {
        chunks(body);
      } else {
        exactly(Integer.parseInt(length), body);
      }
      return new Reply(status, headers, new byte[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads one answer, if it begins to come in time.
  Optional<Reply> readWithin(Duration patience) {
    try {
      return Optional.of(read(patience));
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof SocketTimeoutException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Waits until something comes, and leaves it unread but for what a buffer takes.
  ///
  /// @return whether it came in time
  boolean awaitsAnswer(Duration patience) {
    try {
      socket.setSoTimeout((int) Math.max(patience.toMillis(), 1));
      in.mark(1);
      boolean came = in.read() >= 0;
      in.reset();
      return came;
    } catch (SocketTimeoutException _) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Whether the engine closes the connection in time; what it sends before is dropped.
  boolean isClosedWithin(Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    try {
      while (true) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          return false;
        }
        socket.setSoTimeout((int) left);
        if (in.read(new byte[65_536]) < 0) {
          return true;
        }
      }
    } catch (SocketTimeoutException _) {
      return false;
    } catch (IOException _) {
      return true;
    }
  }

  /// Leaves without a word: the engine sees a reset.
  void abort() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private int status() throws IOException {
    return Integer.parseInt(line().split(" ")[1]);
  }

  private Map<String, String> headers() throws IOException {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return headers;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int read = in.read(); read != '\n'; read = in.read()) {
      if (read < 0) {
        throw new IOException("closed after \"" + line + "\"");
      }
      if (read != '\r') {
        line.append((char) read);
      }
    }
    return line.toString();
  }

  private void exactly(int length, OutputStream to) throws IOException {
    byte[] part = new byte[Math.min(length, 65_536)];
    for (int left = length; left > 0; ) {
      int read = in.read(part, 0, Math.min(left, part.length));
      if (read < 0) {
        throw new IOException("closed after " + (length - left) + " of " + length + " bytes");
      }
      to.write(part, 0, read);
      left -= read;
    }
  }

  private void chunks(OutputStream to) throws IOException {
    while (true) {
      int length = Integer.parseInt(line(), 16);
      exactly(length, to);
      String _ = line();
      if (length == 0) {
        return;
      }
    }
  }
}
