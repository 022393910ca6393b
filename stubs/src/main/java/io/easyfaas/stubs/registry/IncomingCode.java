package io.easyfaas.stubs.registry;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.stubs.store.CodeDraft;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StagedCode;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/// The code of one request, on its way to the disk. Takes room when it begins and gives it back
/// when it is closed, unless it was finished: then the room goes with it. Not thread-safe.
final class IncomingCode extends OutputStream {
  private final FunctionStore store;
  private final UploadRoom room;
  private final CodeChecker checker;
  private final String account;
  private final ByteSize maxCode;
  private final long expected;
  private UploadRoom.@Nullable Place place;
  private @Nullable CodeDraft draft;

  /// @param account whose it is
  /// @param maxCode the largest zip that is stored
  /// @param expected bytes at most, {@link HttpBody#UNKNOWN} when nothing says
  IncomingCode(
      FunctionStore store,
      UploadRoom room,
      CodeChecker checker,
      String account,
      ByteSize maxCode,
      long expected) {
    this.store = store;
    this.room = room;
    this.checker = checker;
    this.account = account;
    this.maxCode = maxCode;
    this.expected = expected;
  }

  /// Begins, once.
  ///
  /// @throws ApiException UNAVAILABLE when there is no room now
  OutputStream open() {
    if (draft != null) {
      throw new IllegalStateException("the code has begun already");
    }
    place =
        room.enter(
            account,
            expected == HttpBody.UNKNOWN ? maxCode.bytes() : Math.min(expected, maxCode.bytes()));
    draft = store.stage();
    return this;
  }

  boolean isOpen() {
    return draft != null;
  }

  long size() {
    return draft == null ? 0 : draft.size();
  }

  @Override
  public void write(int one) {
    write(new byte[] {(byte) one}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    CodeDraft target = opened();
    if (target.size() + length > maxCode.bytes()) {
      throw new ApiException(
          ErrorCode.REQUEST_TOO_LARGE,
          "Code: larger than the limit (expected: at most " + maxCode + ", see --max-code-size)");
    }
    target.write(bytes, offset, length);
  }

  /// Makes it durable and checks it; an empty one is not checked.
  ///
  /// @param settings what else the request says
  /// @return with the code and its room, which are the caller's to close
  FunctionUpload finish(FunctionSettings settings) {
    StagedCode staged = opened().finish();
    try {
      if (staged.size() > 0) {
        checker.check(account, staged.path());
      }
      FunctionUpload upload = new FunctionUpload(settings, staged, place);
      place = null;
      return upload;
    } catch (RuntimeException | Error e) {
      staged.close();
      throw e;
    }
  }

  @Override
  public void close() {
    if (draft != null) {
      draft.close();
    }
    if (place != null) {
      place.close();
    }
  }

  private CodeDraft opened() {
    CodeDraft open = draft;
    if (open == null) {
      throw new IllegalStateException("the code has not begun");
    }
    return open;
  }
}
