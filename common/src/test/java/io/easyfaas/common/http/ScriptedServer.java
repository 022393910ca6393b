package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// A server that answers the requests of each connection with the bytes it was told, then closes
/// it. Reads requests without a body only. Thread-safe.
final class ScriptedServer implements AutoCloseable {
  /// Instead of an answer: the request is read, nothing is sent, the connection stays open.
  static final String NEVER = "never";

  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final BlockingQueue<List<String>> scripts = new LinkedBlockingQueue<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();

  ScriptedServer() throws IOException {
    Thread.ofVirtual().start(this::accept);
  }

  HttpAddress address() {
    return new HttpAddress.Tcp("127.0.0.1", listener.getLocalPort());
  }

  /// What the next connection without a script gets: one answer a request, `""` for none.
  void onConnection(String... answers) {
    scripts.add(List.of(answers));
  }

  int connections() {
    return connections.get();
  }

  /// Method and target of every request read so far.
  List<String> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : open) {
      socket.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = listener.accept();
        open.add(socket);
        connections.incrementAndGet();
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (SocketException _) {
      // Closed: the test is over.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void serve(Socket socket) {
    try {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
      for (String answer : scripts.take()) {
        String line = in.readLine();
        if (line == null) {
          return;
        }
        requests.add(line.substring(0, line.lastIndexOf(' ')));
        while (!line.isEmpty()) {
          line = in.readLine();
        }
        if (answer.equals(NEVER)) {
          return;
        }
        socket.getOutputStream().write(answer.getBytes(ISO_8859_1));
      }
      socket.close();
    } catch (InterruptedException | IOException _) {
      // The client went away, or the test is over.
    }
  }
}
