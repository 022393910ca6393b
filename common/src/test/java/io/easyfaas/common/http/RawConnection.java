package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Map;
import java.util.TreeMap;

/// A client that sends exactly the bytes it is told, for what a well-behaved one never does. Not
/// thread-safe.
final class RawConnection implements AutoCloseable {
  /// Longer than anything a test waits for: only a broken server lets it pass.
  private static final int READ_TIMEOUT_MILLIS = 20_000;

  private final Socket socket;
  private final InputStream in;

  RawConnection(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    in = socket.getInputStream();
  }

  RawConnection send(String text) throws IOException {
    return send(text.getBytes(ISO_8859_1));
  }

  RawConnection send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    return this;
  }

  /// Says that nothing more will be sent.
  RawConnection endInput() throws IOException {
    socket.shutdownOutput();
    return this;
  }

  /// Reads one answer, by its Content-Length.
  HttpResponse read() throws IOException {
    return read(true);
  }

  /// Reads one answer that is not `100 Continue`.
  HttpResponse readFinal() throws IOException {
    HttpResponse response = read();
    return response.status() == 100 ? readFinal() : response;
  }

  /// Reads one answer that ends with its head, as those to HEAD do.
  HttpResponse readHead() throws IOException {
    return read(false);
  }

  /// Bytes of answers that are here and not read.
  int available() throws IOException {
    return in.available();
  }

  /// Everything until the server closes its side.
  byte[] readToEnd() throws IOException {
    return in.readAllBytes();
  }

  /// Whether the server has closed its side; waits for its next sign.
  boolean isClosedByServer() throws IOException {
    try {
      return in.read() < 0;
    } catch (SocketException _) {
      return true; // Reset, because it had not read all we sent.
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private HttpResponse read(boolean withBody) throws IOException {
    String[] status = line().split(" ", 3);
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    int length = withBody ? Integer.parseInt(headers.getOrDefault("Content-Length", "0")) : 0;
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new IOException("end of stream after " + body.length + " of " + length + " bytes");
    }
    return new HttpResponse(Integer.parseInt(status[1]), headers, body);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("end of stream after \"" + line.toString(ISO_8859_1) + "\"");
      }
      line.write(next);
    }
    return line.toString(ISO_8859_1).stripTrailing();
  }
}
