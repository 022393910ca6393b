package io.easyfaas.controller.runtime;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One answer that comes in parts: how much of it may come, see protocol.md §5, and what has come
/// and cannot go on yet. Confined to the runner's event loop.
///
/// **Credit.** Of {@link FrameType#FIRST_CREDIT_BYTES} each byte is the runner's to send, on its
/// way through the engine, or taken and not yet given back. So no more than that is ever in memory,
/// however slow the client.
///
/// **Pieces.** One part is on its way at a time. What comes meanwhile is gathered and goes on as
/// one: a runner cannot make the engine keep an object, or a whole read buffer, for every byte. A
/// part of more than 8 KiB, and whatever is gathered, is in the account of bytes; without room the
/// answer breaks off.
final class AnswerParts {
  // A frame for every few bytes taken would cost more than the bytes.
  private static final int WORTH_A_FRAME_BYTES = FrameType.FIRST_CREDIT_BYTES / 4;

  private final ByteBufAllocator allocator;
  private final Supplier<Reservation> owner;
  private int credit = FrameType.FIRST_CREDIT_BYTES;
  private int takenBack;
  private int onTheWay;
  private @Nullable ByteBuf gathered;
  private @Nullable Reservation gatheredOwner;
  private @Nullable Throwable failure;

  /// @param owner opens a reservation of the function's account
  AnswerParts(ByteBufAllocator allocator, Supplier<Reservation> owner) {
    this.allocator = allocator;
    this.owner = owner;
  }

  /// Why nobody takes the parts any more; null while somebody does.
  @Nullable Throwable failure() {
    return failure;
  }

  /// Nobody takes the parts any more: what comes is dropped.
  ///
  /// @param cause why, not null
  /// @return the credit to give the runner now, so that it does not wait
  int giveUp(Throwable cause) {
    close();
    failure = cause;
    int given = FrameType.FIRST_CREDIT_BYTES - credit;
    credit = FrameType.FIRST_CREDIT_BYTES;
    takenBack = 0;
    onTheWay = 0;
    return given;
  }

  /// How many bytes may come.
  int credit() {
    return credit;
  }

  /// Counts bytes that came, no more than {@link #credit}.
  void came(int bytes) {
    credit -= bytes;
  }

  /// Counts bytes that came and that nobody takes.
  ///
  /// @return the credit to give the runner now; 0 while it is not worth a frame
  int dropped(int bytes) {
    onTheWay += bytes;
    return taken(bytes);
  }

  /// Takes a part that came.
  ///
  /// @param part stays the caller's to release
  /// @return what goes on now, to be released by the caller; null when it has to wait
  /// @throws ApiException without room for it
  @Nullable ByteBuf goesOn(ByteBuf part) {
    int size = part.readableBytes();
    if (onTheWay == 0) {
      ByteBuf mine =
          size <= ByteBudget.FREE_BYTES
              ? OwnedBytes.detached(allocator, part)
              : OwnedBytes.of(allocator, part, reserve(size));
      onTheWay = size;
      return mine;
    }
    ByteBuf waiting = gathered;
    if (waiting == null) {
      gatheredOwner = reserve(FrameType.FIRST_CREDIT_BYTES);
      waiting = allocator.directBuffer(size, FrameType.FIRST_CREDIT_BYTES);
      gathered = waiting;
    }
    waiting.writeBytes(part, part.readerIndex(), size);
    return null;
  }

  /// What had to wait, which goes on now and is to be released by the caller; null when there is
  /// nothing, or an earlier part is still on its way.
  @Nullable ByteBuf next() {
    return onTheWay == 0 ? last() : null;
  }

  /// The same, whatever is on its way: no part comes after it.
  @Nullable ByteBuf last() {
    ByteBuf waiting = gathered;
    Reservation mine = gatheredOwner;
    if (waiting == null || mine == null) {
      return null;
    }
    gathered = null;
    gatheredOwner = null;
    onTheWay += waiting.readableBytes();
    mine.shrink(FrameType.FIRST_CREDIT_BYTES - waiting.readableBytes());
    return new OwnedBytes(allocator, mine).addComponent(true, waiting);
  }

  /// Counts bytes that were taken.
  ///
  /// @return the credit to give the runner now; 0 while it is not worth a frame
  int taken(int bytes) {
    if (bytes > onTheWay) {
      throw new IllegalStateException("more bytes were taken than came");
    }
    onTheWay -= bytes;
    takenBack += bytes;
    if (takenBack < WORTH_A_FRAME_BYTES) {
      return 0;
    }
    int given = takenBack;
    credit += given;
    takenBack = 0;
    return given;
  }

  /// Gives up what waits. Safe to call twice.
  void close() {
    ByteBuf waiting = gathered;
    Reservation mine = gatheredOwner;
    gathered = null;
    gatheredOwner = null;
    if (waiting != null) {
      waiting.release();
    }
    if (mine != null) {
      mine.close();
    }
  }

  private Reservation reserve(int bytes) {
    Reservation mine = owner.get();
    if (!mine.grow(bytes)) {
      String shortage = mine.shortage(bytes);
      mine.refuse();
      throw new ApiException(ErrorCode.UNAVAILABLE, shortage);
    }
    return mine;
  }
}
