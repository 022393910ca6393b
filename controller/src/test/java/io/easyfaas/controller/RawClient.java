package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.easyfaas.common.brn.Account;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;

/// A client that sends bytes as they are, for what a well-behaved one cannot send.
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  RawClient(int port) throws IOException {
    this(new Socket(), port);
  }

  /// Connects with a receive buffer that is full after a few kilobytes.
  static RawClient narrow(int port) throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4096);
    return new RawClient(socket, port);
  }

  private RawClient(Socket socket, int port) throws IOException {
    this.socket = socket;
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setSoTimeout(20_000);
    in = new BufferedInputStream(socket.getInputStream());
  }

  /// An invocation by BRN, as its owner.
  static String invocation(String brn, String body) {
    return "POST /v1/functions/"
        + brn
        + "/invocations HTTP/1.1\r\nHost: x\r\nX-Easyfaas-Account-Id: "
        + Account.DEFAULT.id()
        + "\r\nContent-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  void send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    socket.getOutputStream().flush();
  }

  /// The next answer without its body.
  String head() throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int b = in.read();
      if (b < 0) {
        throw new IOException("closed after: " + head);
      }
      head.append((char) b);
    }
    return head.toString();
  }

  /// The next answer: status line, headers, empty line, body.
  String answer() throws IOException {
    String head = head();
    int length = 0;
    for (String line : head.split("\r\n")) {
      if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(line.substring(15).strip());
      }
    }
    return head + new String(in.readNBytes(length), ISO_8859_1);
  }

  /// The next bytes.
  String read(int length) throws IOException {
    return new String(in.readNBytes(length), ISO_8859_1);
  }

  /// Whether the server closed the connection; waits for it.
  boolean isClosed() throws IOException {
    return in.read() < 0;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
