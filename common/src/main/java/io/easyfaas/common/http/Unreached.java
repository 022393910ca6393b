package io.easyfaas.common.http;

import java.io.FileNotFoundException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import org.jspecify.annotations.Nullable;

/// Why an address cannot be used, in words that do not depend on what the sockets' library calls
/// it. Pure.
final class Unreached {
  private Unreached() {}

  /// Why there is no connection to a server.
  static String connecting(HttpAddress address, @Nullable Throwable cause) {
    return "connect to "
        + address
        + ": "
        + switch (cause) {
          case io.netty.channel.ConnectTimeoutException _ -> "no answer";
          case ConnectException refused when says(refused, "refused") -> "nothing listens there";
          case FileNotFoundException _ -> "there is no such socket";
          case null, default -> reason(address, cause);
        };
  }

  /// Why a server cannot listen.
  static String listening(HttpAddress address, @Nullable Throwable cause) {
    return "listen on "
        + address
        + ": "
        + (cause != null && says(cause, "Address already in use")
            ? "in use. Hint: is another process using port " + port(address) + "?"
            : cause != null && says(cause, "Cannot assign requested address")
                ? "no address of this machine"
                : reason(address, cause));
  }

  private static String reason(HttpAddress address, @Nullable Throwable cause) {
    return switch (cause) {
      case UnknownHostException _ -> unknown(address);
      case UnresolvedAddressException _ -> unknown(address);
      case null -> "failed";
      default -> cause.getMessage() == null ? cause.toString() : cause.getMessage();
    };
  }

  private static String unknown(HttpAddress address) {
    return address instanceof HttpAddress.Tcp tcp
        ? "no machine is known as " + tcp.host()
        : "unknown address";
  }

  private static boolean says(Throwable cause, String words) {
    return cause.getMessage() != null && cause.getMessage().contains(words);
  }

  private static String port(HttpAddress address) {
    return address instanceof HttpAddress.Tcp tcp ? String.valueOf(tcp.port()) : "";
  }
}
