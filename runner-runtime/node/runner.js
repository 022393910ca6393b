'use strict';

/**
 * The Node.js runner: loads one function and answers the controller's calls.
 *
 * Usage: node runner.js 3<>CONNECTION        (descriptor 3: a stream socket to the controller)
 * Exit status: 0 the controller closed the connection; 1 protocol error or no connection;
 * 128 user code left an exception or a rejection unhandled; else what user code asked for.
 *
 * The protocol is docs/protocol.md; "§" below means a section of it. This file shares its process
 * with a stranger's code, so it keeps to a few rules:
 * - Every length is checked before it is used, and user values (errors, results) are read inside
 *   `try`: a getter that throws must not end the connection.
 * - Nothing but frames is written to the socket, and nothing of ours to descriptors 1 and 2 but
 *   the one line that explains exit status 1, and what user code prints.
 * - What a call writes or throws is named after that call through an AsyncLocalStorage; a call that
 *   has been answered is never named again. What is written where no call can be named belongs to
 *   the only call in flight, if there is just one.
 * - What is printed goes where child processes and native code print, into the pipe, so that the
 *   kernel keeps the order; a record's header says whose it is.
 *
 * What keeps it fast: frames are parsed where the socket's one read buffer lies; the frames of one
 * turn of the event loop leave in one write(2), made directly instead of through the stream; a call
 * costs one object, its context, whose rarely used parts are made when they are asked for.
 */

const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { Writable } = require('node:stream');
const { StringDecoder } = require('node:string_decoder');
const { pathToFileURL } = require('node:url');
const { inspect, types } = require('node:util');

/** The connection to the controller, inherited. Node.js keeps it from children of user code. */
const CONNECTION = 3;
const PROTOCOL = 2;

const HELLO = 1;
const LOAD = 2;
const READY = 3;
const LOAD_FAILED = 4;
const INVOKE = 5;
const RESULT = 6;
const CANCEL = 9;
const PING = 10;
const PONG = 11;
const CREDIT = 12;

/** Flag of RESULT: the payload is an error object. */
const FAILED = 1;
/** Flag of RESULT: the process ends now; a call that is sent to it is lost. */
const ENDING = 2;
/** Flag of a record: written to stderr. */
const STDERR = 1;

const HEADER_BYTES = 12;
/** What `length` counts besides the payload: type, flags, reserved and id. */
const COUNTED_HEADER_BYTES = 8;
const MAX_PAYLOAD_BYTES = 6815744;
/** First of a record's bytes, found in no text: 0xFF, mark, flags, length and id come before it. */
const RECORD = 0xff;
const MARK_BYTES = 8;
const RECORD_HEADER_BYTES = 16;
/** What the kernel writes to a pipe in one piece (PIPE_BUF): records share it if they fit. */
const WHOLE_WRITE_BYTES = 4096;
const MAX_RECORD_TEXT_BYTES = 65520;
/** Deadline, lengths of request id and header block: the fixed part of an INVOKE payload (§5). */
const INVOKE_FIXED_BYTES = 12;
/** Number and length of a header, before its value. */
const HEADER_FIXED_BYTES = 3;
const MAX_HEADER_BLOCK_BYTES = 16384;
const CREDIT_BYTES = 4;

const TRACE_PARENT = 1;
const TRACE_STATE = 2;
const CLIENT_CONTEXT = 3;
const IDENTITY = 4;

/** A runner that has waited so long is a prewarmed one. Else LOAD comes in a millisecond or two. */
const REHEARSE_AFTER_MILLIS = 50;
/** What a prewarmed runner loads and calls to have done everything once; lies beside this file. */
const REHEARSAL = 'rehearsal.handler';

const READ_BUFFER_BYTES = 64 * 1024;
const WRITE_BUFFER_BYTES = 64 * 1024;
/** A larger write buffer is given back once it is sent: one big answer is not paid for ever. */
const KEPT_WRITE_BUFFER_BYTES = 2 * 1024 * 1024;
/** How long a process that is ending waits for a controller that does not read. */
const EXIT_FLUSH_MILLIS = 1000;
/** For shorter strings the worst case is reserved, longer ones are measured first. */
const MEASURED_STRING_LENGTH = 8 * 1024;
/** Writes to the descriptors of output in one turn of the event loop that answers wait for. */
const AWAITED_WRITES = 1000;
/** Messages and stack lines are cut here, so that an error object always fits a frame. */
const ERROR_TEXT_CHARACTERS = 64 * 1024;
const ERROR_STACK_FRAMES = 64;
const STACK_LINE_CHARACTERS = 1024;

const EXIT_PROTOCOL_ERROR = 1;
const EXIT_UNHANDLED = 128;

const UNCAUGHT_EXCEPTION = 'Runtime.UncaughtException';
const UNHANDLED_REJECTION = 'Runtime.UnhandledPromiseRejection';
const EXIT_ERROR = 'Runtime.ExitError';
const EXIT_MESSAGE = 'Process exited before completing request';

/** Kept from the start: user code may replace them. */
const exit = process.exit.bind(process);
const { write, writeSync, writev, writevSync } = fs;

class ProtocolError extends Error {}

/** A failure of the function with a type of §6 instead of a class of its own. */
class RuntimeFailure extends Error {
  constructor(type, message, stackTrace = []) {
    super(message);
    this.type = type;
    this.stackTrace = stackTrace;
  }
}

/**
 * Cuts a byte stream into frames.
 *
 * A frame that lies whole in the chunk is handed over in place; one that does not is put together
 * in a buffer of its own size, so no byte is copied more than once. `onFrame(buffer, start, end)`
 * gets the whole frame, header included, valid only until it returns.
 */
class FrameReader {
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.header = Buffer.alloc(HEADER_BYTES);
    this.headerFilled = 0;
    this.frame = null;
    this.frameFilled = 0;
  }

  /** Takes the next `size` bytes of the stream. Throws ProtocolError at a length out of range. */
  push(chunk, size) {
    let offset = 0;
    while (this.frame !== null || this.headerFilled > 0) {
      if (offset === size) {
        return;
      }
      offset = this.resume(chunk, offset, size);
    }
    while (size - offset >= HEADER_BYTES) {
      const frameBytes = FrameReader.frameBytes(chunk, offset);
      if (size - offset < frameBytes) {
        break;
      }
      this.onFrame(chunk, offset, offset + frameBytes);
      offset += frameBytes;
    }
    if (offset < size) {
      this.begin(chunk, offset, size);
    }
  }

  static frameBytes(buffer, offset) {
    const length = buffer.readUInt32BE(offset);
    if (length < COUNTED_HEADER_BYTES || length > COUNTED_HEADER_BYTES + MAX_PAYLOAD_BYTES) {
      throw new ProtocolError(`frame length ${length} is out of range`);
    }
    return 4 + length;
  }

  /** Keeps the head of a frame whose rest has yet to come. */
  begin(chunk, offset, size) {
    const available = size - offset;
    if (available < HEADER_BYTES) {
      chunk.copy(this.header, 0, offset, size);
      this.headerFilled = available;
      return;
    }
    this.frame = Buffer.allocUnsafe(FrameReader.frameBytes(chunk, offset));
    this.frameFilled = chunk.copy(this.frame, 0, offset, size);
  }

  /** Goes on with the frame that was begun; returns the offset after the bytes it took. */
  resume(chunk, offset, size) {
    if (this.frame === null) {
      const copied = chunk.copy(this.header, this.headerFilled, offset, size);
      this.headerFilled += copied;
      if (this.headerFilled < HEADER_BYTES) {
        return offset + copied;
      }
      this.frame = Buffer.allocUnsafe(FrameReader.frameBytes(this.header, 0));
      this.frameFilled = this.header.copy(this.frame);
      this.headerFilled = 0;
      offset += copied;
    }
    const copied = chunk.copy(this.frame, this.frameFilled, offset, size);
    this.frameFilled += copied;
    if (this.frameFilled === this.frame.length) {
      const frame = this.frame;
      this.frame = null;
      this.onFrame(frame, 0, frame.length);
    }
    return offset + copied;
  }
}

/**
 * Collects frames and sends them.
 *
 * Frames are appended to one buffer, which `flush` writes straight to the descriptor. Only what the
 * kernel does not take at once goes through the socket's stream, which waits until the socket is
 * writable; until then frames pile up behind it.
 */
class FrameWriter {
  /** @param output is written before every frame that is sent */
  constructor(output = new OutputWriter()) {
    this.output = output;
    this.buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES);
    this.end = 0;
    this.socket = null;
    this.descriptor = -1;
    /** What the socket's stream is still sending, or null. */
    this.draining = null;
    this.scheduled = false;
    this.closed = false;
    this.onImmediate = () => {
      this.scheduled = false;
      this.flush();
    };
  }

  attach(socket) {
    this.socket = socket;
    // Why `_handle`: Node.js has no public name for a socket's descriptor. Where it has none to
    // give, everything goes through the stream: slower, and lost at process.exit().
    const descriptor = socket._handle && socket._handle.fd;
    this.descriptor = Number.isInteger(descriptor) ? descriptor : -1;
  }

  /** Appends a frame with a text payload. Returns false, and appends nothing, if it is too long. */
  text(type, flags, id, text) {
    const most = text.length < MEASURED_STRING_LENGTH ? text.length * 3 : Buffer.byteLength(text);
    if (most > MAX_PAYLOAD_BYTES) {
      return false;
    }
    this.reserve(HEADER_BYTES + most);
    const start = this.end;
    this.frame(start, type, flags, id, this.buffer.write(text, start + HEADER_BYTES, most, 'utf8'));
    return true;
  }

  /** Appends a frame with a payload of bytes. Returns false, and appends nothing, if too long. */
  bytes(type, flags, id, bytes) {
    if (bytes.length > MAX_PAYLOAD_BYTES) {
      return false;
    }
    this.reserve(HEADER_BYTES + bytes.length);
    const start = this.end;
    this.buffer.set(bytes, start + HEADER_BYTES);
    this.frame(start, type, flags, id, bytes.length);
    return true;
  }

  /** Completes the frame at `start`, whose payload is in the buffer. */
  frame(start, type, flags, id, payloadBytes) {
    const buffer = this.buffer;
    const length = payloadBytes + COUNTED_HEADER_BYTES;
    buffer[start] = length >>> 24;
    buffer[start + 1] = length >>> 16;
    buffer[start + 2] = length >>> 8;
    buffer[start + 3] = length;
    buffer[start + 4] = type;
    buffer[start + 5] = flags;
    buffer[start + 6] = 0;
    buffer[start + 7] = 0;
    buffer[start + 8] = id >>> 24;
    buffer[start + 9] = id >>> 16;
    buffer[start + 10] = id >>> 8;
    buffer[start + 11] = id;
    this.end = start + HEADER_BYTES + payloadBytes;
  }

  reserve(bytes) {
    if (this.end + bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes));
      this.buffer.copy(larger, 0, 0, this.end);
      this.buffer = larger;
    }
  }

  /** Sends at the end of this turn of the event loop. */
  schedule() {
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.onImmediate);
    }
  }

  /** Sends what has been collected, without waiting. */
  flush() {
    this.output.flush();
    if (this.end === 0 || this.draining !== null || this.closed) {
      return;
    }
    const sent = this.descriptor < 0 ? 0 : this.write(this.buffer, 0, this.end);
    if (sent === this.end || this.closed) {
      this.reset();
      return;
    }
    this.draining = this.buffer.subarray(sent, this.end);
    this.buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES);
    this.end = 0;
    this.socket.write(this.draining, () => {
      this.draining = null;
      this.flush();
    });
  }

  /**
   * Sends everything, for a process whose event loop does not turn again, or gives up after
   * EXIT_FLUSH_MILLIS.
   */
  flushAndStop() {
    this.output.flush();
    if (this.closed || this.descriptor < 0) {
      return;
    }
    const deadline = Date.now() + EXIT_FLUSH_MILLIS;
    if (this.draining !== null) {
      // libuv has sent the front of what it was given and will not go on with the rest.
      const unsent = Math.min(this.socket._handle.writeQueueSize, this.draining.length);
      const rest = this.draining.subarray(this.draining.length - unsent);
      this.draining = null;
      this.writeAll(rest, rest.length, deadline);
    }
    this.writeAll(this.buffer, this.end, deadline);
    this.reset();
  }

  writeAll(buffer, end, deadline) {
    let sent = this.write(buffer, 0, end);
    while (sent < end && !this.closed && Date.now() < deadline) {
      waitAMillisecond();
      sent = this.write(buffer, sent, end);
    }
  }

  /** Writes what the kernel takes; returns the offset of what it did not. */
  write(buffer, from, end) {
    while (from < end) {
      try {
        from += writeSync(this.descriptor, buffer, from, end - from);
      } catch (error) {
        if (error.code === 'EINTR') {
          continue;
        }
        if (error.code !== 'EAGAIN') {
          this.closed = true; // The controller is gone; its end of stream ends the process.
        }
        return from;
      }
    }
    return from;
  }

  reset() {
    this.end = 0;
    if (this.buffer.length > KEPT_WRITE_BUFFER_BYTES) {
      this.buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES);
    }
  }
}

/**
 * Writes what is printed, as records of text of one call each (§1). Who writes waits while the pipe
 * is full: that bounds memory.
 */
class OutputWriter {
  constructor() {
    this.mark = Buffer.alloc(MARK_BYTES);
    for (let i = 0; i < MARK_BYTES; i++) {
      this.mark[i] = Math.random() * 256; // No secret: whoever could read it is the function itself.
    }
    this.buffer = Buffer.allocUnsafeSlow(WHOLE_WRITE_BYTES);
    this.end = 0;
    /** Where the record starts that further output of the same call extends, or -1. */
    this.start = -1;
    this.id = 0;
    this.flags = 0;
    this.descriptor = 1;
    this.closed = false;
  }

  /** Opens the pipe anew: it stays what it is whatever user code makes of descriptor 1. */
  open() {
    try {
      this.descriptor = fs.openSync('/proc/self/fd/1', fs.constants.O_WRONLY);
    } catch {
      // Not a pipe; so it is the descriptor itself.
    }
  }

  /** Appends output of a call (id 0: of none). `flush` has to follow. */
  log(flags, id, text) {
    const most = text.length * 3;
    if (this.end + RECORD_HEADER_BYTES + most > WHOLE_WRITE_BYTES) {
      this.flush();
      if (RECORD_HEADER_BYTES + most > WHOLE_WRITE_BYTES) {
        this.logLong(flags, id, text);
        return;
      }
    }
    if (text.length > 0) {
      if (this.start < 0 || this.id !== id || this.flags !== flags) {
        this.start = this.end;
        this.id = id;
        this.flags = flags;
        this.end += RECORD_HEADER_BYTES;
      }
      this.end += this.buffer.write(text, this.end, most, 'utf8');
      this.header(this.buffer, this.start, this.end, flags, id);
    }
  }

  /** Writes text with a buffer of its own, in records of which none cuts a character. */
  logLong(flags, id, text) {
    const buffer = Buffer.allocUnsafe(RECORD_HEADER_BYTES + Buffer.byteLength(text));
    buffer.write(text, RECORD_HEADER_BYTES, 'utf8');
    for (let from = RECORD_HEADER_BYTES; from < buffer.length;) {
      let to = Math.min(buffer.length, from + MAX_RECORD_TEXT_BYTES);
      while (to < buffer.length && (buffer[to] & 0xc0) === 0x80) {
        to--;
      }
      const start = from - RECORD_HEADER_BYTES; // Over what has been written.
      this.header(buffer, start, to, flags, id);
      this.write(buffer, start, to);
      from = to;
    }
  }

  header(buffer, start, end, flags, id) {
    const length = end - start - RECORD_HEADER_BYTES;
    buffer[start] = RECORD;
    buffer.set(this.mark, start + 1);
    buffer[start + 9] = flags;
    buffer[start + 10] = length >>> 8;
    buffer[start + 11] = length;
    buffer[start + 12] = id >>> 24;
    buffer[start + 13] = id >>> 16;
    buffer[start + 14] = id >>> 8;
    buffer[start + 15] = id;
  }

  /** Writes what was appended. */
  flush() {
    this.write(this.buffer, 0, this.end);
    this.end = 0;
    this.start = -1;
  }

  write(buffer, from, end) {
    while (from < end && !this.closed) {
      try {
        from += writeSync(this.descriptor, buffer, from, end - from);
      } catch (error) {
        if (error.code === 'EAGAIN') {
          waitAMillisecond(); // A child has made the descriptor it shares with us not block.
        } else if (error.code !== 'EINTR') {
          this.closed = true; // The controller is gone; its end of stream ends the process.
        }
      }
    }
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** There is no blocking poll(2). */
function waitAMillisecond() {
  Atomics.wait(NEVER, 0, 0, 1);
}

/**
 * One call, and what its handler gets as `context`.
 *
 * A call is answered once: by what comes first of the returned value or promise, the callback, and
 * the older done, succeed and fail. Everything after that is ignored.
 */
class Context {
  #runner;
  #id;
  #deadlineMillis;
  #answered = false;
  /** Whether the answer is known, and waits for output. */
  #settled = false;
  #awaitsDone = false;
  #cancelled = false;
  #abortController = null;
  #decoders = null;

  /** @param headers what goes with the event, by number, or null */
  constructor(runner, id, deadlineMillis, requestId, headers) {
    const loaded = runner.loaded;
    this.#runner = runner;
    this.#id = id;
    this.#deadlineMillis = deadlineMillis;
    this.callbackWaitsForEmptyEventLoop = true; // Accepted; answers never wait for the event loop.
    this.awsRequestId = requestId;
    this.requestId = requestId;
    this.functionName = loaded.functionName;
    this.functionVersion = loaded.functionVersion;
    this.functionBrn = loaded.functionBrn;
    this.invokedFunctionArn = loaded.functionBrn;
    this.memoryLimitInMB = loaded.memoryMegabytes;
    if (headers !== null) {
      this.traceParent = headers[TRACE_PARENT];
      this.traceState = headers[TRACE_STATE];
      this.clientContext = jsonOrText(headers[CLIENT_CONTEXT]);
      this.identity = jsonOrText(headers[IDENTITY]);
    }
  }

  // Getters of functions, not methods: handlers pull them off the context and call them bare.

  get getRemainingTimeInMillis() {
    return () => Math.max(0, this.#deadlineMillis - Date.now());
  }

  /** Aborted when nobody waits for the answer any more (CANCEL, §3). */
  get signal() {
    if (this.#abortController === null) {
      this.#abortController = new AbortController();
      if (this.#cancelled) {
        this.#abortController.abort();
      }
    }
    return this.#abortController.signal;
  }

  get done() {
    this.#awaitsDone = true;
    return this.#callback();
  }

  get succeed() {
    this.#awaitsDone = true;
    return (value) => this.#succeed(value);
  }

  get fail() {
    this.#awaitsDone = true;
    return (error) => this.#fail(error);
  }

  /** Calls the handler and sees to its answer. */
  static run(context, event) {
    const { handler, receiver, takesCallback } = context.#runner.loaded;
    try {
      const returned = takesCallback
        ? handler.call(receiver, event, context, context.#callback())
        : handler.call(receiver, event, context);
      if (returned === undefined && (takesCallback || context.#awaitsDone)) {
        return;
      }
      if (isThenable(returned)) {
        returned.then(
          (value) => context.#succeed(value),
          (error) => context.#fail(error),
        );
        return;
      }
      context.#succeed(returned);
    } catch (error) {
      context.#fail(error);
    }
  }

  /** Appends what a call still unanswered wrote. Returns false, and does nothing, for others. */
  static log(context, flags, chunk) {
    if (context === undefined || context.#answered) {
      return false;
    }
    let text = chunk;
    if (typeof chunk !== 'string' || context.#decoders !== null) {
      context.#decoders ??= new Decoders();
      text = context.#decoders.text(flags, chunk);
    }
    context.#runner.output.log(flags, context.#id, text);
    return true;
  }

  static cancel(context) {
    context.#cancelled = true;
    if (context.#abortController !== null) {
      context.#abortController.abort();
    }
  }

  /** Fails the call with a type of §6, because the process ends. */
  static failWith(context, type, message, stackTrace) {
    context.#answerError(new RuntimeFailure(type, message, stackTrace), FAILED | ENDING);
  }

  #callback() {
    return (error, value) => {
      if (error === undefined || error === null) {
        this.#succeed(value);
      } else {
        this.#fail(error);
      }
    };
  }

  #succeed(value) {
    if (this.#answered || this.#settled) {
      return;
    }
    if (this.#runner.pendingWrites > 0) {
      this.#afterWrites(() => this.#answer(value));
      return;
    }
    this.#answer(value);
  }

  #answer(value) {
    const writer = this.#runner.writer;
    let fits;
    try {
      const isBytes = value instanceof Uint8Array;
      const answer = isBytes ? value : toText(value);
      this.#endOutput();
      fits = isBytes
        ? writer.bytes(RESULT, 0, this.#id, answer)
        : writer.text(RESULT, 0, this.#id, answer);
    } catch (error) {
      this.#answerError(error);
      return;
    }
    if (fits) {
      this.#finish();
    } else {
      this.#answerError(
        new RuntimeFailure(
          'Runtime.ResponseSizeTooLarge',
          `The answer is longer than ${MAX_PAYLOAD_BYTES} bytes`,
        ),
      );
    }
  }

  #fail(error) {
    if (this.#answered || this.#settled) {
      return;
    }
    if (this.#runner.pendingWrites > 0) {
      this.#afterWrites(() => this.#answerError(error));
      return;
    }
    this.#answerError(error);
  }

  /** The answer is known, but not all that the call has written to descriptors 1 and 2 is out. */
  #afterWrites(answer) {
    this.#settled = true;
    this.#runner.awaitWrites(() => {
      this.#settled = false;
      answer();
    });
  }

  #answerError(error, flags = FAILED) {
    if (this.#answered) {
      return;
    }
    this.#endOutput();
    this.#runner.writer.text(RESULT, flags, this.#id, errorObject(error));
    this.#finish();
  }

  /** What was left of a character that the call began and will not end. */
  #endOutput() {
    if (this.#decoders !== null) {
      this.#runner.output.log(0, this.#id, this.#decoders.end(0));
      this.#runner.output.log(STDERR, this.#id, this.#decoders.end(STDERR));
    }
  }

  #finish() {
    this.#answered = true;
    this.#runner.finished(this.#id);
  }
}

function isThenable(value) {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof value.then === 'function'
  );
}

/** The answer's bytes of a value (§5). Throws a RuntimeFailure if JSON cannot express it. */
function toText(value) {
  if (typeof value === 'string') {
    return value;
  }
  if (value === undefined || value === null) {
    return 'null';
  }
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw marshalError(`The answer cannot be written as JSON: ${messageOf(error)}`, error);
  }
  if (text === undefined) {
    throw marshalError(`The answer cannot be written as JSON: it is a ${typeof value}`);
  }
  return text;
}

function marshalError(message, cause) {
  return new RuntimeFailure('Runtime.MarshalError', message, cause ? stackTraceOf(cause) : []);
}

// --- Error objects (§6) ------------------------------------------------------------------------

/** The JSON of an error object. Never throws, whatever was thrown at us. */
function errorObject(error) {
  return JSON.stringify({
    errorMessage: cut(messageOf(error), ERROR_TEXT_CHARACTERS),
    errorType: cut(typeOf(error), STACK_LINE_CHARACTERS),
    stackTrace: stackTraceOf(error),
  });
}

function isError(value) {
  return value instanceof Error || types.isNativeError(value); // The latter: of another realm.
}

function messageOf(error) {
  try {
    if (isError(error)) {
      return String(error.message);
    }
    if (typeof error === 'object' && error !== null) {
      return typeof error.message === 'string' ? error.message : JSON.stringify(error);
    }
    return String(error);
  } catch {
    return describe(error);
  }
}

function describe(value) {
  try {
    return inspect(value);
  } catch {
    return 'an error that cannot be read';
  }
}

function typeOf(error) {
  try {
    if (error instanceof RuntimeFailure) {
      return error.type;
    }
    if (isError(error)) {
      // A subclass that did not set `name` inherits "Error"; its class says more.
      const className = error.constructor && error.constructor.name;
      const name = error.name === 'Error' && className ? className : error.name;
      return typeof name === 'string' && name !== '' ? name : 'Error';
    }
  } catch {
    // Fall through: what cannot be asked for its class is an Error.
  }
  return 'Error';
}

const FRAME = /^\s+at /;
/** Where the compiler found a syntax error: the first line of such a stack, if it is known. */
const PLACE = /^\S.*:\d+$/;

/** The frames of user code: from the top of the stack down to the first frame of this file. */
function stackTraceOf(error) {
  try {
    if (error instanceof RuntimeFailure) {
      return error.stackTrace;
    }
    if (!isError(error) || typeof error.stack !== 'string') {
      return [];
    }
    const frames = [];
    const lines = error.stack.split('\n');
    const internal = isParseError(error) ? /node:(internal\/|vm:)/ : /node:internal\//;
    if (isParseError(error) && PLACE.test(lines[0])) {
      frames.push(`at ${lines[0]}`);
    }
    for (const line of lines) {
      if (line.includes(__filename)) {
        break;
      }
      if (FRAME.test(line) && !internal.test(line)) {
        frames.push(line.trim());
      }
    }
    // Below user code lies the interpreter, which called it for us.
    while (frames.length > 0 && /[( ]node:/.test(frames[frames.length - 1])) {
      frames.pop();
    }
    return frames.slice(0, ERROR_STACK_FRAMES).map((frame) => cut(frame, STACK_LINE_CHARACTERS));
  } catch {
    return [];
  }
}

/** Whether the module loader's compiler threw it, not code that parses something. */
function isParseError(error) {
  if (!types.isNativeError(error) || error.name !== 'SyntaxError') {
    return false;
  }
  // Node.js 16 compiles modules by way of node:vm, which user code may call as well.
  const innermost = String(error.stack)
    .split('\n')
    .find((line) => FRAME.test(line) && !line.includes('(node:vm:'));
  return innermost !== undefined && /node:internal\/(modules|vm)/.test(innermost);
}

function cut(text, most) {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

// --- Loading -----------------------------------------------------------------------------------

/** The payload of LOAD, checked (§4). */
function parseLoad(text) {
  let load;
  try {
    load = JSON.parse(text);
  } catch {
    throw new ProtocolError('LOAD is not JSON');
  }
  const expected = {
    functionBrn: 'string',
    functionName: 'string',
    functionVersion: 'string',
    handler: 'string',
    codeRoot: 'string',
    memoryMegabytes: 'integer',
    timeoutSeconds: 'integer',
    concurrency: 'integer',
    environment: 'object',
  };
  for (const [name, type] of Object.entries(expected)) {
    if (typeInJson(load) !== 'object' || typeInJson(load[name]) !== type) {
      throw new ProtocolError(`LOAD has no ${type} "${name}"`);
    }
  }
  if (load.concurrency < 1) {
    throw new ProtocolError('LOAD has a concurrency below 1');
  }
  return load;
}

/** What JSON calls a value that was read from it. */
function typeInJson(value) {
  if (value === null || Array.isArray(value)) {
    return value === null ? 'null' : 'array';
  }
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function setEnvironment(load) {
  Object.assign(process.env, load.environment, {
    EASYFAAS_FUNCTION_BRN: load.functionBrn,
    EASYFAAS_FUNCTION_NAME: load.functionName,
    EASYFAAS_FUNCTION_VERSION: load.functionVersion,
    EASYFAAS_FUNCTION_MEMORY_SIZE: String(load.memoryMegabytes),
    EASYFAAS_FUNCTION_HANDLER: load.handler,
    BCE_USER_FUNCTION_BRN: load.functionBrn,
    BCE_USER_FUNCTION_NAME: load.functionName,
    BCE_USER_FUNCTION_MEMSIZE: String(load.memoryMegabytes),
    BCE_USER_FUNCTION_VERSION: load.functionVersion,
    BCE_USER_FUNCTION_HANDLER: load.handler,
    BCE_USER_CODE_ROOT: load.codeRoot,
  });
}

/** Loads the module and finds the handler in it. Rejects with what LOAD_FAILED is to say. */
async function loadHandler(codeRoot, handlerName) {
  // "dir/file.export.nested": the module ends at the first dot of the last path segment.
  const match = /^((?:[^/]+\/)*[^/.]+)\.([^/]+)$/.exec(handlerName);
  const exportPath = match === null ? [] : match[2].split('.');
  if (match === null || match[1].split('/').includes('..') || exportPath.includes('')) {
    throw new RuntimeFailure(
      'Runtime.MalformedHandlerName',
      `The handler "${handlerName}" is not of the form "module.function"`,
    );
  }
  const namespace = await loadModule(codeRoot, match[1]);

  let found = lookUp(namespace, exportPath);
  if (found === null && namespace !== null && namespace !== undefined && namespace.default) {
    found = lookUp(namespace.default, exportPath);
  }
  if (found === null) {
    throw new RuntimeFailure(
      'Runtime.HandlerNotFound',
      `The module "${match[1]}" exports no function "${match[2]}"`,
    );
  }
  return found;
}

function lookUp(namespace, exportPath) {
  let receiver = undefined;
  let value = namespace;
  for (const name of exportPath) {
    if (value === null || value === undefined) {
      return null;
    }
    receiver = value;
    value = value[name];
  }
  return typeof value === 'function' ? { handler: value, receiver } : null;
}

async function loadModule(codeRoot, moduleName) {
  const base = path.resolve(codeRoot, moduleName);
  const file = ['', '.js', '.mjs', '.cjs']
    .map((extension) => base + extension)
    .find((candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile());
  try {
    if (file !== undefined) {
      return isEsModule(file) ? await import(pathToFileURL(file).href) : require(file);
    }
    if (fs.statSync(base, { throwIfNoEntry: false })?.isDirectory()) {
      return require(base); // A package directory: its package.json or index.js decides.
    }
  } catch (error) {
    throw asLoadFailure(error);
  }
  throw new RuntimeFailure(
    'Runtime.ImportModuleError',
    `Cannot find module "${moduleName}" in ${codeRoot}`,
  );
}

/** Whether the file is an ES module: by its extension, else by the nearest package.json. */
function isEsModule(file) {
  if (file.endsWith('.mjs') || file.endsWith('.cjs')) {
    return file.endsWith('.mjs');
  }
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    let text;
    try {
      text = fs.readFileSync(path.join(directory, 'package.json'), 'utf8');
    } catch {
      if (directory === path.dirname(directory)) {
        return false;
      }
      continue;
    }
    return JSON.parse(text).type === 'module';
  }
}

const IMPORT_ERRORS = new Set([
  'MODULE_NOT_FOUND',
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]);

function asLoadFailure(error) {
  if (isError(error) && IMPORT_ERRORS.has(error.code)) {
    // Node.js appends who required it, the runner last; the stack trace says that already.
    const message = messageOf(error).split('\nRequire stack:')[0];
    return new RuntimeFailure('Runtime.ImportModuleError', message, stackTraceOf(error));
  }
  if (isParseError(error)) {
    const message = `SyntaxError: ${messageOf(error)}`;
    return new RuntimeFailure('Runtime.UserCodeSyntaxError', message, stackTraceOf(error));
  }
  return error;
}

/**
 * Whether a handler that returns nothing is to be waited for: it has a third parameter, or what
 * reaches all of them. `length` alone does not say: it stops at a default or rest parameter.
 */
function takesCallback(handler) {
  if (handler.length >= 3) {
    return true;
  }
  const source = Function.prototype.toString.call(handler);
  const parameters = /^(?:async\s*)?(?:function\b\s*\*?\s*)?[\w$]*\s*\(/.exec(source);
  if (parameters === null) {
    return false; // `event => …`, or native code
  }
  let depth = 0;
  let commas = 0;
  let quote = '';
  let end = parameters[0].length;
  for (; end < source.length && depth >= 0; end++) {
    const character = source[end];
    if (quote !== '') {
      if (character === '\\') {
        end++;
      } else if (character === quote) {
        quote = '';
      }
    } else if (`'"\``.includes(character)) {
      quote = character;
    } else if ('([{'.includes(character)) {
      depth++;
    } else if (')]}'.includes(character)) {
      depth--;
    } else if (depth === 0 && source.startsWith('...', end)) {
      return true;
    } else if (depth === 0 && character === ',' && !/^\s*\)/.test(source.slice(end + 1))) {
      commas++;
    }
  }
  return commas >= 2 || /\barguments\b/.test(source.slice(end));
}

// --- Output ------------------------------------------------------------------------------------

/** One writer's bytes as text: a character whose bytes come in several pieces comes out whole. */
class Decoders {
  #decoders = [];

  /** What can be said of the stream by now; a string ends a character that was begun. */
  text(flags, chunk) {
    if (typeof chunk === 'string') {
      return this.end(flags) + chunk;
    }
    this.#decoders[flags] ??= new StringDecoder('utf8');
    return this.#decoders[flags].write(chunk);
  }

  /** U+FFFD for a character that was begun, else nothing. */
  end(flags) {
    return this.#decoders[flags] === undefined ? '' : this.#decoders[flags].end();
  }
}

/**
 * Stands in for process.stdout and process.stderr: what is written becomes records of a call.
 *
 * Like the interpreter's own streams on a pipe it writes at once, so the code that writes is the
 * code that is named; for that reason nothing is buffered, corked or not. All calls share it:
 * `end` and `destroy` tell whoever waits for them, and it goes on.
 */
class LogStream extends Writable {
  #onChunk;
  #encoding = 'utf8';
  #draining = false;

  /** @param onChunk takes a string or a Buffer, and says whether nobody else may be listening */
  constructor(descriptor, onChunk) {
    // Without autoDestroy, stream.finished() waits for 'finish' alone.
    super({ decodeStrings: false, autoDestroy: false });
    this.fd = descriptor;
    this.#onChunk = onChunk;
  }

  write(chunk, encoding, callback) {
    const then = typeof encoding === 'function' ? encoding : callback;
    let written = chunk;
    if (ArrayBuffer.isView(chunk)) {
      written = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    } else if (typeof chunk !== 'string') {
      return super.write(chunk); // Throws what a Writable throws.
    } else {
      const name = typeof encoding === 'string' ? encoding : this.#encoding;
      written = name === 'utf8' || /^utf-?8$/i.test(name) ? chunk : Buffer.from(chunk, name);
    }
    const alone = this.#onChunk(written);
    if (typeof then === 'function') {
      process.nextTick(then, null);
    }
    // Several calls are never asked to wait: all would hear of 'drain' in the name of one.
    if (!alone || written.length < this.writableHighWaterMark) {
      return !this.#draining;
    }
    if (!this.#draining) {
      this.#draining = true;
      process.nextTick(() => {
        this.#draining = false;
        this.emit('drain');
      });
    }
    return false;
  }

  get writableNeedDrain() {
    return this.#draining;
  }

  setDefaultEncoding(encoding) {
    super.setDefaultEncoding(encoding);
    this.#encoding = encoding;
    return this;
  }

  end(chunk, encoding, callback) {
    const then = [chunk, encoding, callback].find((each) => typeof each === 'function');
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      this.write(chunk, typeof encoding === 'function' ? undefined : encoding);
    }
    process.nextTick(() => {
      then?.();
      this.emit('finish');
    });
    return this;
  }

  destroy(error, callback) {
    process.nextTick(() => {
      callback?.(error ?? null);
      if (error) {
        this.emit('error', error);
      }
      this.emit('close');
    });
    return this;
  }

  _write(chunk, encoding, callback) {
    this.write(chunk, encoding);
    callback();
  }
}

// --- The runner --------------------------------------------------------------------------------

/** One connection to the controller, from HELLO to end of stream. */
class Runner {
  constructor() {
    this.output = new OutputWriter();
    this.writer = new FrameWriter(this.output);
    this.reader = new FrameReader((buffer, start, end) => this.onFrame(buffer, start, end));
    this.state = 'connected'; // → loading → ready | failed; any → ended
    /** What LOAD said, with `handler`, `receiver` and `takesCallback`; set before READY. */
    this.loaded = null;
    this.calls = new Map();
    this.current = new AsyncLocalStorage();
    /** Of output that no call can be named for. */
    this.decoders = new Decoders();
    /** Whether frames are being read: what they cause is sent when all of them have been. */
    this.reading = false;
    /** Writes of user code to descriptors 1 and 2 whose callback has not been called. */
    this.pendingWrites = 0;
    this.writesOfTurn = 0;
    /** Answers that wait for them. */
    this.answers = [];
    this.last = (status) => this.onExit(status);
  }

  start() {
    const socket = this.open();
    socket.once('end', () => this.end(0));
    socket.once('close', () => this.end(0));
    socket.once('error', () => this.end(0));
    this.writer.attach(socket);
    this.sendJson(HELLO, {
      protocol: PROTOCOL,
      language: 'nodejs',
      languageVersion: process.versions.node,
      outputMark: this.output.mark.toString('hex'),
    });
    this.writer.flush();
    this.output.open();
    this.captureOutput();
    this.captureWrites();
    process.on('uncaughtException', (error, origin) => this.onUncaught(error, origin));
    process.on('unhandledRejection', (reason) => this.onUnhandledRejection(reason));
    process.once('exit', this.last);
    process.exit = (...status) => {
      this.writer.flush(); // What was answered before, however long the listeners take.
      this.exit(...status);
    };
    this.useOnce();
    setTimeout(() => this.rehearse(), REHEARSE_AFTER_MILLIS);
  }

  open() {
    try {
      return new net.Socket({
        fd: CONNECTION,
        readable: true,
        writable: true,
        onread: {
          buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
          callback: (size, buffer) => this.onRead(size, buffer),
        },
      });
    } catch (error) {
      return this.end(EXIT_PROTOCOL_ERROR, `descriptor ${CONNECTION}: ${error.message}`);
    }
  }

  /**
   * Does what the interpreter does at the first use of what every function needs, while the
   * controller prepares LOAD: the first run of an AsyncLocalStorage and the first `await` after it
   * take longer than all the rest of a call.
   */
  async useOnce() {
    await this.current.run(undefined, async () => {});
    console._stdout; // eslint-disable-line no-unused-expressions
    console._stderr; // eslint-disable-line no-unused-expressions
  }

  /**
   * Loads a function and calls it, as LOAD and INVOKE will: whatever the interpreter does only at
   * the first time is done then. It is loaded into a runner of its own that sends nothing. What it
   * leaves behind, the environment and the working directory, LOAD sets anew.
   */
  async rehearse() {
    if (this.state !== 'connected') {
      return;
    }
    const rehearsal = new Runner();
    rehearsal.current = this.current; // Each further one would cost every promise a little.
    rehearsal.writer.closed = true;
    rehearsal.output.closed = true;
    const directory = process.cwd();
    const load = {
      functionBrn: '',
      functionName: '',
      functionVersion: '',
      handler: REHEARSAL,
      codeRoot: __dirname,
      memoryMegabytes: 0,
      timeoutSeconds: 1,
      concurrency: 1,
      environment: {},
    };
    rehearsal.state = 'loading';
    await rehearsal.load(parseLoad(JSON.stringify(load)));
    if (rehearsal.state === 'ready') {
      const event = Buffer.from('{"text":"é","list":[1.5,null,true]}');
      const payload = Buffer.concat([Buffer.alloc(INVOKE_FIXED_BYTES), event]);
      rehearsal.onInvoke(1, payload, 0, payload.length);
    }
    if (this.state === 'connected') {
      process.chdir(directory);
      await import('data:text/javascript,'); // The loader of ES modules, too, loads itself lazily.
    }
  }

  onRead(size, buffer) {
    this.reading = true;
    try {
      this.reader.push(buffer, size);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      this.end(EXIT_PROTOCOL_ERROR, error.message);
    }
    this.reading = false;
    this.settleWrites();
    return true;
  }

  onFrame(buffer, start, end) {
    const type = buffer[start + 4];
    const id = buffer.readUInt32BE(start + 8);
    switch (type) {
      case INVOKE:
        this.onInvoke(id, buffer, start + HEADER_BYTES, end);
        break;
      case PING:
        this.writer.text(PONG, 0, id, '');
        break;
      case CANCEL: {
        const context = this.calls.get(id);
        if (context !== undefined) {
          Context.cancel(context); // Otherwise it crossed our RESULT.
        }
        break;
      }
      case CREDIT:
        // For a call that was answered: the frame crossed our RESULT. Answers in parts are not made.
        if (end - start !== HEADER_BYTES + CREDIT_BYTES) {
          throw new ProtocolError('CREDIT is not a number');
        }
        break;
      case LOAD:
        this.onLoad(buffer.toString('utf8', start + HEADER_BYTES, end));
        break;
      default:
        throw new ProtocolError(`frame of unknown type ${type}`);
    }
  }

  onLoad(text) {
    if (this.state !== 'connected') {
      throw new ProtocolError(`LOAD while ${this.state}`);
    }
    const load = parseLoad(text);
    this.state = 'loading';
    this.load(load);
  }

  async load(load) {
    const started = process.hrtime.bigint();
    try {
      setEnvironment(load);
      process.chdir(load.codeRoot);
      const { handler, receiver } = await loadHandler(load.codeRoot, load.handler);
      if (this.state !== 'loading') {
        return; // It failed meanwhile, by an exception outside of the module's own stack.
      }
      this.loaded = { ...load, handler, receiver, takesCallback: takesCallback(handler) };
      this.state = 'ready';
      const initMillis = Number((process.hrtime.bigint() - started) / 1000000n);
      this.sendJson(READY, { initMillis });
    } catch (error) {
      this.loadFailed(error);
    }
    this.writer.flush();
  }

  loadFailed(error) {
    if (this.state === 'loading') {
      this.state = 'failed';
      this.writer.text(LOAD_FAILED, 0, 0, errorObject(error));
    }
  }

  onInvoke(id, buffer, start, end) {
    if (this.state !== 'ready') {
      throw new ProtocolError(`INVOKE while ${this.state}`);
    }
    if (end - start < INVOKE_FIXED_BYTES) {
      throw new ProtocolError('INVOKE is shorter than its fixed part');
    }
    const headerStart = start + INVOKE_FIXED_BYTES + buffer.readUInt16BE(start + 8);
    const eventStart = headerStart + buffer.readUInt16BE(start + 10);
    if (eventStart > end) {
      throw new ProtocolError('INVOKE is shorter than its request id and headers');
    }
    if (eventStart - headerStart > MAX_HEADER_BLOCK_BYTES) {
      throw new ProtocolError('the header block of INVOKE is too long');
    }
    if (id === 0 || this.calls.has(id)) {
      throw new ProtocolError(`INVOKE with the id ${id}, which is not free`);
    }
    const deadlineMillis = buffer.readUInt32BE(start) * 4294967296 + buffer.readUInt32BE(start + 4);
    const requestId = buffer.toString('latin1', start + INVOKE_FIXED_BYTES, headerStart);
    const headers =
      headerStart === eventStart ? null : parseHeaders(buffer, headerStart, eventStart);
    const context = new Context(this, id, deadlineMillis, requestId, headers);
    this.calls.set(id, context);
    this.current.run(context, Context.run, context, parseEvent(buffer, eventStart, end));
  }

  /** Called by a call when its RESULT has been appended. */
  finished(id) {
    this.calls.delete(id);
    if (this.calls.size <= 1) {
      this.output.flush(); // What the one that is left prints otherwise comes after.
    }
    if (!this.reading) {
      this.settleWrites();
    }
  }

  /** Sends now if no call is left that could add something in this turn, else at its end. */
  settleWrites() {
    if (this.calls.size === 0) {
      this.writer.flush();
    } else if (this.writer.end > 0) {
      this.writer.schedule();
    }
  }

  sendJson(type, value) {
    this.writer.text(type, 0, 0, JSON.stringify(value));
  }

  captureOutput() {
    for (const [name, descriptor, flags] of [
      ['stdout', 1, 0],
      ['stderr', 2, STDERR],
    ]) {
      const stream = new LogStream(descriptor, (chunk) => this.onOutput(flags, chunk));
      Object.defineProperty(process, name, {
        configurable: true,
        enumerable: true,
        get: () => stream,
      });
    }
  }

  /** Returns whether no more than one call is in flight. */
  onOutput(flags, chunk) {
    if (!Context.log(this.current.getStore(), flags, chunk)) {
      this.output.log(flags, this.onlyCall(), this.decoders.text(flags, chunk));
    }
    if (this.calls.size > 1 && this.state !== 'ended') {
      this.writer.schedule(); // Lines of several calls wait for the end of the turn, to share a write.
      return false;
    }
    // At once: a single call that goes on to hang or to exhaust memory must not take its last words
    // with it, and what its children print next comes next.
    this.output.flush();
    return true;
  }

  /**
   * Has asynchronous writes of user code to descriptors 1 and 2 done at once, as those to
   * process.stdout are: what a logger writes so is older than the answer, and in order. Answers
   * wait for the callbacks, in which a logger writes what it has collected meanwhile.
   */
  captureWrites() {
    for (const [name, original, sync] of [
      ['write', write, writeSync],
      ['writev', writev, writevSync],
    ]) {
      const runner = this;
      const replacement = function (fd, ...rest) {
        const callback = rest.at(-1);
        if ((fd !== 1 && fd !== 2) || typeof callback !== 'function') {
          return original.call(this, fd, ...rest);
        }
        return runner.writeNow(sync, fd, rest.slice(0, -1), callback);
      };
      // What util.promisify() looks for is among the properties.
      Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original));
      fs[name] = replacement;
    }
  }

  writeNow(sync, fd, rest, callback) {
    let written = 0;
    let failure = null;
    this.output.flush();
    try {
      written = sync(fd, ...rest);
    } catch (error) {
      if (error.syscall === undefined) {
        throw error; // The arguments are wrong.
      }
      failure = error;
    }
    if (this.writesOfTurn === 0) {
      setImmediate(() => {
        this.writesOfTurn = 0;
      });
    }
    this.pendingWrites++;
    this.writesOfTurn++;
    // Who writes again and again in the callback must not keep the event loop from turning.
    const later = this.writesOfTurn < AWAITED_WRITES ? process.nextTick : setImmediate;
    later(() => {
      try {
        callback(failure, written, rest[0]);
      } finally {
        this.pendingWrites--;
        this.settleAnswers();
      }
    });
  }

  /** Runs something when nothing is being written by user code, or too much. */
  awaitWrites(answer) {
    this.answers.push(answer);
    this.settleAnswers();
  }

  settleAnswers() {
    if (this.pendingWrites === 0 || this.writesOfTurn >= AWAITED_WRITES) {
      this.answerAll();
    }
  }

  answerAll() {
    this.answers.splice(0).forEach((answer) => answer());
  }

  /** The id of the call in flight, if there is exactly one, else 0. */
  onlyCall() {
    return this.calls.size === 1 ? this.calls.keys().next().value : 0;
  }

  onUncaught(error, origin) {
    if (process.listenerCount('uncaughtException') === 1) {
      // A rejection comes this way if user code has removed our listener for rejections.
      const rejection = origin === 'unhandledRejection';
      this.onUnhandled(rejection ? UNHANDLED_REJECTION : UNCAUGHT_EXCEPTION, error);
    }
  }

  onUnhandledRejection(reason) {
    if (process.listenerCount('unhandledRejection') === 1) {
      this.onUnhandled(UNHANDLED_REJECTION, reason);
    }
  }

  /** The process is in a state nobody knows: every call fails and it ends. */
  onUnhandled(type, error) {
    const message = `${typeOf(error)}: ${messageOf(error)}`;
    const stackTrace = stackTraceOf(error);
    if (this.state === 'loading') {
      this.loadFailed(new RuntimeFailure(type, message, stackTrace));
      this.writer.flush();
      return;
    }
    if (this.calls.size === 0) {
      const lines = [`${type}: ${message}`, ...stackTrace.map((frame) => `    ${frame}`)];
      this.output.log(STDERR, 0, `${lines.join('\n')}\n`);
    }
    this.writer.flush();
    this.failCalls(type, () => message, stackTrace);
    this.exit(EXIT_UNHANDLED);
  }

  failCalls(type, messageFor, stackTrace) {
    this.reading = true; // One write for all of them.
    this.answerAll();
    for (const context of [...this.calls.values()]) {
      Context.failWith(context, type, messageFor(context), stackTrace);
    }
  }

  /** The last code of ours that runs: user code, or `end`, called process.exit(). */
  onExit(status) {
    const message = `${EXIT_MESSAGE}: exit status ${status}`;
    this.loadFailed(new RuntimeFailure(EXIT_ERROR, message));
    this.failCalls(EXIT_ERROR, (context) => `RequestID: ${context.requestId} ${message}`);
    this.state = 'ended';
    this.output.log(0, 0, this.decoders.end(0));
    this.output.log(STDERR, 0, this.decoders.end(STDERR));
    this.writer.flushAndStop();
  }

  /** Ends the process with a status of ours. */
  end(status, explanation) {
    this.writer.closed = true;
    this.output.closed = true;
    try {
      if (explanation !== undefined) {
        writeSync(2, `easyfaas runner: ${explanation}\n`);
      }
    } catch {
      // User code has closed the descriptor, or nobody reads what is in it.
    }
    this.exit(status);
  }

  /**
   * Ends the process. The controller is told when user code has done what it does then: it ends what
   * is left of the sandbox.
   */
  exit(...status) {
    if (process._exiting) {
      process.exitCode = status[0] ?? process.exitCode; // Throws where it is no status.
      this.onExit(process.exitCode ?? 0); // A listener asks: no other is called.
      exit(...status);
    }
    process.off('exit', this.last);
    process.once('exit', this.last);
    try {
      exit(...status);
    } catch (error) {
      if (!process._exiting) {
        throw error; // It is no status.
      }
      // Of a listener; the process is exiting all the same, and calls no other.
      this.onOutput(STDERR, `${typeOf(error)}: ${messageOf(error)}\n`);
      this.onExit(process.exitCode ?? 0);
      exit();
    }
  }
}

/** The event of a call (§5): JSON, else the text as it is; empty means `{}`. */
function parseEvent(buffer, start, end) {
  if (start === end) {
    return {};
  }
  return jsonOrText(buffer.toString('utf8', start, end));
}

/** The value of the text, or the text where it is not JSON, or nothing at all. */
function jsonOrText(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The header block of a call (§5): texts, by number. */
function parseHeaders(buffer, start, end) {
  const headers = [];
  for (let at = start; at < end;) {
    const valueStart = at + HEADER_FIXED_BYTES;
    const valueEnd = valueStart > end ? valueStart : valueStart + buffer.readUInt16BE(at + 1);
    if (valueEnd > end) {
      throw new ProtocolError('a header of INVOKE is longer than its block');
    }
    if (headers[buffer[at]] !== undefined) {
      throw new ProtocolError(`INVOKE has the header ${buffer[at]} twice`);
    }
    headers[buffer[at]] = buffer.toString('utf8', valueStart, valueEnd);
    at = valueEnd;
  }
  return headers;
}

if (require.main === module) {
  new Runner().start();
}

module.exports = { FrameReader, FrameWriter, OutputWriter, takesCallback };
