import com.sun.net.httpserver.HttpServer;
import java.net.*;
import java.net.http.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

/** What Java programs do: compilers, threads of both kinds, children, files, watches, sockets. */
class Program {
  public static void main(String[] arguments) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      threads.submit(() -> Files.exists(Path.of("/tmp"))).get();
    }
    check(IntStream.range(0, 100_000).parallel().sum() == 704_982_704);
    System.gc();

    Process child = new ProcessBuilder("/bin/echo", "hello").start();
    check(new String(child.getInputStream().readAllBytes()).equals("hello\n"));
    check(child.waitFor() == 0 && ProcessHandle.current().isAlive());

    Path directory = Files.createTempDirectory("java");
    WatchService watches = directory.getFileSystem().newWatchService();
    directory.register(watches, StandardWatchEventKinds.ENTRY_CREATE);
    Path file = Files.writeString(directory.resolve("file"), "text");
    check(watches.poll(20, TimeUnit.SECONDS) != null);
    watches.close();
    Files.copy(file, directory.resolve("copy"), StandardCopyOption.COPY_ATTRIBUTES);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.lock().release();
      MappedByteBuffer view = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096);
      view.put(0, (byte) 1);
      view.force();
      channel.force(true);
    }

    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> exchange.sendResponseHeaders(204, -1));
    server.start();
    URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request = HttpRequest.newBuilder(uri).build();
      check(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() == 204);
    }
    server.stop(0);
    try (DatagramChannel udp = DatagramChannel.open()) {
      udp.bind(new InetSocketAddress("127.0.0.1", 0));
      udp.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
    }
    NetworkInterface lo = NetworkInterface.getByName("lo");
    check(lo.isUp() && lo.getMTU() > 0 && !Collections.list(lo.getInetAddresses()).isEmpty());
    System.out.println("fine");
  }

  private static void check(boolean holds) {
    if (!holds) {
      throw new AssertionError();
    }
  }
}
