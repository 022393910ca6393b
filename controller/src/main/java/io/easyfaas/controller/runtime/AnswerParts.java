package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import org.jspecify.annotations.Nullable;

/// How much may come of one answer that comes in parts, see protocol.md §5. Confined to the
/// runner's event loop.
///
/// Of {@link FrameType#FIRST_CREDIT_BYTES} each byte is the runner's to send, on its way through
/// the engine, or taken and not yet given back. So no more than that is ever in memory, however
/// slow the client.
final class AnswerParts {
  // A frame for every few bytes taken would cost more than the bytes.
  private static final int WORTH_A_FRAME_BYTES = FrameType.FIRST_CREDIT_BYTES / 4;

  private int credit = FrameType.FIRST_CREDIT_BYTES;
  private int takenBack;
  private @Nullable Throwable failure;

  /// Why nobody takes the parts any more; null while somebody does.
  @Nullable Throwable failure() {
    return failure;
  }

  /// Nobody takes the parts any more: what comes is dropped.
  ///
  /// @param cause why, not null
  /// @return the credit to give the runner now, so that it does not wait
  int giveUp(Throwable cause) {
    failure = cause;
    int given = FrameType.FIRST_CREDIT_BYTES - credit;
    credit = FrameType.FIRST_CREDIT_BYTES;
    takenBack = 0;
    return given;
  }

  /// Counts bytes that came.
  ///
  /// @throws ProtocolException when the runner had no credit for them
  void came(int bytes) throws ProtocolException {
    if (bytes > credit) {
      throw new ProtocolException(
          "CHUNK of " + bytes + " bytes (expected: at most " + credit + ")");
    }
    credit -= bytes;
  }

  /// Counts bytes that were taken.
  ///
  /// @return the credit to give the runner now; 0 while it is not worth a frame
  int taken(int bytes) {
    if (bytes > FrameType.FIRST_CREDIT_BYTES - credit - takenBack) {
      throw new IllegalStateException("more bytes were taken than came");
    }
    takenBack += bytes;
    if (takenBack < WORTH_A_FRAME_BYTES) {
      return 0;
    }
    int given = takenBack;
    credit += given;
    takenBack = 0;
    return given;
  }
}
