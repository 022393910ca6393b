package io.easyfaas.common.http;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// The name in the file system that a unix socket listens under.
final class SocketFile {
  // st_mode, see inode(7).
  private static final int FILE_TYPE_MASK = 0170000;
  private static final int FILE_TYPE_SOCKET = 0140000;

  private SocketFile() {}

  /// A socket file that nobody answers on is left over from a killed process.
  ///
  /// @throws HttpException when somebody answers, or it is no socket
  static void removeStale(Path path) {
    if (!Files.exists(path, NOFOLLOW_LINKS)) {
      return;
    }
    // Why checked here: Netty's bind unlinks whatever has the name.
    if (!isSocket(path)) {
      throw new HttpException(
          "listen on unix://" + path + ": the file exists (expected: a socket, or nothing)");
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException _) {
      try {
        Files.delete(path);
      } catch (IOException e) {
        throw new HttpException("remove the unused socket " + path, e);
      }
      return;
    }
    throw new HttpException(
        "listen on unix://" + path + ": in use. Hint: is another engine running there?");
  }

  private static boolean isSocket(Path path) {
    try {
      return Files.getAttribute(path, "unix:mode", NOFOLLOW_LINKS) instanceof Integer mode
          && (mode & FILE_TYPE_MASK) == FILE_TYPE_SOCKET;
    } catch (IOException e) {
      throw new HttpException("look at " + path, e);
    }
  }

  /// Leaves it to the owner and its group.
  static void restrict(Path socket) {
    try {
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
    } catch (IOException e) {
      throw new HttpException("restrict " + socket, e);
    }
  }
}
