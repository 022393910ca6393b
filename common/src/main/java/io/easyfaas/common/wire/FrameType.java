package io.easyfaas.common.wire;

/// The frames between controller and runner, see protocol.md §3.
public final class FrameType {
  /// Bytes before the payload, the length field included.
  public static final int HEADER_BYTES = 12;

  /// Bytes the length field counts before the payload.
  public static final int COUNTED_HEADER_BYTES = 8;

  /// The largest payload of one frame: 6.5 MiB.
  public static final int MAX_PAYLOAD_BYTES = 6_815_744;

  /// The version of the protocol, as HELLO names it.
  public static final int PROTOCOL = 2;

  /// Bytes of an answer in parts that a runner may send before it is given more credit.
  public static final int FIRST_CREDIT_BYTES = 256 * 1024;

  /// The longest head of an answer in parts.
  public static final int MAX_HEAD_BYTES = 16 * 1024;

  /// Runner to controller: ready to load.
  public static final byte HELLO = 1;

  /// Controller to runner: load this handler.
  public static final byte LOAD = 2;

  /// Runner to controller: the handler is loaded.
  public static final byte READY = 3;

  /// Runner to controller: the handler could not be loaded.
  public static final byte LOAD_FAILED = 4;

  /// Controller to runner: a call.
  public static final byte INVOKE = 5;

  /// Runner to controller: the answer to a call.
  public static final byte RESULT = 6;

  /// Runner to controller: a part of an answer.
  public static final byte CHUNK = 7;

  /// Runner to controller: something a call printed.
  public static final byte LOG = 8;

  /// Controller to runner: nobody waits for this call any more.
  public static final byte CANCEL = 9;

  /// Controller to runner: are you there?
  public static final byte PING = 10;

  /// Runner to controller: yes.
  public static final byte PONG = 11;

  /// Controller to runner: so many more bytes of an answer in parts may come.
  public static final byte CREDIT = 12;

  /// Flag of INVOKE: the answer may come in parts.
  public static final byte FLAG_PARTS = 1;

  /// Flag of CHUNK: the payload is the answer's head.
  public static final byte FLAG_HEAD = 1;

  /// Flag of RESULT: the payload is an error object.
  public static final byte FLAG_FAILED = 1;

  /// Flag of RESULT: the runner ends now and must not be sent another call.
  public static final byte FLAG_ENDING = 2;

  /// Flag of RESULT: the answer came in parts, and this is its end.
  public static final byte FLAG_LAST = 4;

  /// Flag of LOG: written to stderr.
  public static final byte FLAG_STDERR = 1;

  private FrameType() {}
}
