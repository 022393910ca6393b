"""The Python runner: loads one function and answers the controller's calls.

Usage: python3 -I -S runner.py 3<>CONNECTION   (descriptor 3: a stream socket to the controller)
Exit status: 0 the controller closed the connection; 1 protocol error or no connection; else what
user code asked for.

The protocol is docs/protocol.md; "§" below means a section of it. This file shares its process with
a stranger's code, so it keeps to a few rules:

- Every length is checked before it is used, and whatever a user's object does when it is read
  (`__str__` of an exception, `__iter__` of an answer) becomes an error object, never our crash.
- Nothing but frames is written to the socket, and nothing of ours to descriptors 1 and 2 but the
  one line that explains exit status 1, and what user code prints.
- What a call writes is named after that call through a context variable, which threads inherit
  from the code that starts them; a call that has been answered is never named again. What is
  written where no call can be named belongs to the only call in flight, if there is just one.
- What is printed goes where child processes and native code print, into the pipe, so that the
  kernel keeps the order; a record's header says whose it is.

How calls run is chosen once, after LOAD, by what costs least:

- `async def` handlers: one event loop on the main thread, which reads frames too.
- `concurrency` 1: on the main thread, between reading one frame and the next.
- otherwise: on threads, one more than there were calls in flight at once, which take turns reading.

What a cold start takes is mostly imports, so modules written in Python are left out of it where the
C half that CPython builds them on does: os, json, socket, threading and collections would take
longer than all the rest of the start, and memory as long as the sandbox lives. A runner that has
been waiting for LOAD a while rehearses a function, and imports what functions often use in advance.
"""

from __future__ import annotations

import _contextvars as contextvars
import _thread
import builtins
import io
import posix
import sys
import time
from _collections import deque
from _json import encode_basestring, make_encoder, make_scanner
from _socket import AF_UNIX, MSG_DONTWAIT, MSG_PEEK, SOCK_STREAM, socket, timeout
from _struct import Struct

TYPE_CHECKING = False  # typing.TYPE_CHECKING without the milliseconds its import takes
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, NoReturn, Optional

CONNECTION_DESCRIPTOR = 3
PROTOCOL = 2

HELLO = 1
LOAD = 2
READY = 3
LOAD_FAILED = 4
INVOKE = 5
RESULT = 6
CANCEL = 9
PING = 10
PONG = 11
CREDIT = 12

STDOUT_DESCRIPTOR = 1
STDERR_DESCRIPTOR = 2

FAILED = 1  # flag of RESULT: the payload is an error object
ENDING = 2  # flag of RESULT: the process ends now; a call that is sent to it is lost
STDERR = 1  # flag of a record: written to stderr

# length, type, flags, reserved, id
HEADER = Struct(">IBBHI")
# What `length` counts besides the payload: type, flags, reserved and id.
COUNTED_HEADER_BYTES = 8
MAX_PAYLOAD_BYTES = 6815744
MAX_RECORD_TEXT_BYTES = 65520
MARK_BYTES = 8
# 0xFF, which is in no text, mark, flags, length, id
RECORD = Struct(f">B{MARK_BYTES}sBHI")
# Deadline, lengths of request id and header block: the fixed part of an INVOKE payload (§5).
INVOKE_FIXED = Struct(">QHH")
# Number and length of a header, before its value.
HEADER_FIXED = Struct(">BH")
MAX_HEADER_BLOCK_BYTES = 16384
CREDIT_BYTES = 4

TRACE_PARENT = 1
TRACE_STATE = 2
CLIENT_CONTEXT = 3
IDENTITY = 4

# A runner that has waited so long is a prewarmed one. Else LOAD comes in a millisecond or two.
PREPARE_AFTER_SECONDS = 0.05
# What it loads and calls to have done everything once; lies beside this file.
REHEARSAL = "rehearsal"
REHEARSED_EVENT = '{"text": "é", "list": [1.5, null, true]}'.encode()
# Used by many functions, or by what their calls do first.
PREPARED_MODULES = (
    "json",
    "threading",
    "socket",
    "re",
    "typing",
    "datetime",
    "base64",
    "urllib.parse",
)

READ_BUFFER_BYTES = 16 * 1024
# Unsent frames at which a thread waits for the one that sends: bounds memory.
PENDING_FRAMES = 128
# What is sent at once; of records, what the kernel writes to a pipe in one piece (PIPE_BUF).
SENT_AT_ONCE_BYTES = 64 * 1024
WHOLE_WRITE_BYTES = 4096
# A line without an end is written at this length.
LONGEST_LINE_BYTES = 64 * 1024
# Messages and stack lines are cut here, so that an error object always fits a frame.
ERROR_TEXT_CHARACTERS = 64 * 1024
ERROR_STACK_FRAMES = 64
STACK_LINE_CHARACTERS = 1024

EXIT_PROTOCOL_ERROR = 1
EXIT_MESSAGE = "Process exited before completing request"

CO_COROUTINE = 0x80  # inspect.CO_COROUTINE without the import of inspect


class ProtocolError(Exception):
    """The controller broke the protocol: the runner ends."""


class RuntimeFailure(Exception):
    """A failure of the function with a type of §6 instead of a class of its own."""

    def __init__(self, error_type: str, message: str, stack_trace: Optional[list[str]] = None):
        super().__init__(message)
        self.error_type = error_type
        self.stack_trace = stack_trace or []


# --- Frames --------------------------------------------------------------------------------------


def frame(frame_type: int, flags: int, call_id: int, payload: bytes) -> bytes:
    """One frame. The payload must not be longer than MAX_PAYLOAD_BYTES."""
    length = COUNTED_HEADER_BYTES + len(payload)
    return HEADER.pack(length, frame_type, flags, 0, call_id) + payload


class FrameReader:
    """Cuts a byte stream into frames. Not thread-safe; owned by the main thread."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(READ_BUFFER_BYTES))
        self._start = 0
        self._end = 0

    def next(self) -> Optional[tuple[int, int, bytes]]:
        """Type, id and payload of the next frame, or None if it has yet to come.

        Raises ProtocolError at a length out of range.
        """
        available = self._end - self._start
        if available < HEADER.size:
            return None
        length, frame_type, _, _, call_id = HEADER.unpack_from(self._buffer, self._start)
        if not 0 <= length - COUNTED_HEADER_BYTES <= MAX_PAYLOAD_BYTES:
            raise ProtocolError(f"frame length {length} is out of range")
        if available < 4 + length:
            return None
        end = self._start + 4 + length
        payload = self._buffer[self._start + HEADER.size : end].tobytes()
        self._start = end
        return frame_type, call_id, payload

    def fill(self, receive_into: Callable[[memoryview], int]) -> bool:
        """Receives more bytes, once. Returns False at the end of the stream."""
        available = self._end - self._start
        needed = READ_BUFFER_BYTES
        if available >= HEADER.size:
            needed = max(needed, 4 + HEADER.unpack_from(self._buffer, self._start)[0])
        if available == 0 and len(self._buffer) == READ_BUFFER_BYTES:
            self._start = self._end = 0
        elif self._start > 0 or needed != len(self._buffer):
            # Also gives a large buffer back: one big event is not paid for ever.
            kept = self._buffer[self._start : self._end]
            self._buffer = memoryview(bytearray(needed))
            self._buffer[:available] = kept
            self._start, self._end = 0, available
        received = receive_into(self._buffer[self._end :])
        self._end += received
        return received > 0


class Writer:
    """Writes frames, or records, whole. Thread-safe; blocks while the controller does not read.

    Threads that find another one writing leave what they have to it: a lock that all of them waited
    for would hand the interpreter's own lock around for every line.
    """

    def __init__(self, write: Callable[[bytes], None], most_bytes: int) -> None:
        """`most_bytes` are written at once, unless one alone is longer."""
        self._write = write
        self._most_bytes = most_bytes
        self._writing = _thread.allocate_lock()
        self._writer = 0
        self._pending: deque[bytes] = deque()

    def send(self, whole: bytes) -> None:
        self.append(whole)
        self.flush()

    def append(self, whole: bytes) -> None:
        """Fixes its place in the stream. `flush` or `settle` has to follow."""
        self._pending.append(whole)

    def flush(self) -> None:
        """Sees to it that everything appended is written."""
        # Whoever holds the lock looks again after it has let go, so nothing is left behind.
        while self._pending and self._writing.acquire(blocking=self._must_wait()):
            self._write_pending()

    def settle(self) -> None:
        """Waits until everything appended is written."""
        # In this order: whoever takes something out to write it has said so before.
        if not self._pending and not self._writer:
            return
        # A destructor may write in the middle of its own thread's writing: it cannot wait for that.
        if self._writer != _thread.get_ident():
            self._writing.acquire()
            self._write_pending()

    def finish(self) -> None:
        """Waits until everything is written, a second at most. For a process that is ending."""
        if self._writing.acquire(timeout=1):
            self._write_pending()

    def _write_pending(self) -> None:
        """Writes all there is and gives the lock back."""
        pending = self._pending
        self._writer = _thread.get_ident()
        try:
            while pending:
                whole = pending.popleft()
                if pending:
                    whole = self._join(whole)
                self._write(whole)
        finally:
            self._writer = 0
            self._writing.release()

    def _join(self, first: bytes) -> bytes:
        pending, most = self._pending, self._most_bytes
        parts = [first]
        size = len(first)
        while pending:
            size += len(pending[0])
            if size > most:
                break
            parts.append(pending.popleft())
        return b"".join(parts)

    def _must_wait(self) -> bool:
        return len(self._pending) > PENDING_FRAMES and self._writer != _thread.get_ident()


# --- JSON -----------------------------------------------------------------------------------------


class JsonSyntax:
    """What the json module tells its scanner by default."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {
        "-Infinity": float("-inf"),
        "Infinity": float("inf"),
        "NaN": float("nan"),
    }.__getitem__


_scan = make_scanner(JsonSyntax)


def parse_json(text: str) -> Any:
    """As json.loads. Raises ValueError, and RecursionError as that does."""
    stripped = text.strip(" \t\n\r")
    try:
        value, end = _scan(stripped, 0)
        if end == len(stripped):
            return value
    except (StopIteration, SystemError):
        pass  # SystemError: what it would raise is in the json module, which it does not import.
    import json

    return json.loads(text)  # Raises what there is to say.


def write_json(value: Any) -> str:
    """As json.dumps without spaces, escapes of what is not ASCII, NaN and infinities."""
    encode = make_encoder({}, refuse_json, encode_basestring, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def refuse_json(value: Any) -> NoReturn:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


# --- Calls ---------------------------------------------------------------------------------------


class Call:
    """One call in flight."""

    __slots__ = ("id", "request_id", "deadline_millis", "headers", "answered", "unended")

    def __init__(
        self,
        call_id: int,
        request_id: str,
        deadline_millis: int,
        headers: Optional[dict[int, str]] = None,
    ) -> None:
        self.id = call_id
        self.request_id = request_id
        self.deadline_millis = deadline_millis
        # What goes with the event, by number.
        self.headers = headers
        self.answered = False
        # Lines that have not ended yet, of stdout and stderr. Guarded by Output's lock.
        self.unended = [b"", b""]


# Stands for the code that no call can be named for.
NO_CALL = Call(0, "", 0)
NO_CALL.answered = True

current_call: contextvars.ContextVar[Call] = contextvars.ContextVar("call", default=NO_CALL)


class Attributes(dict):  # type: ignore[type-arg]
    """A JSON object whose members are attributes as well; those that are missing are None."""

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__((name, attributes(value)) for name, value in members.items())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


def attributes(value: Any) -> Any:
    """The value, with objects in it as Attributes."""
    if isinstance(value, dict):
        return Attributes(value)
    if isinstance(value, list):
        return [attributes(each) for each in value]
    return value


class Context:
    """What a handler gets as `context`. What is the same for all calls is set on the class."""

    function_name = ""
    function_version = ""
    function_brn = ""
    invoked_function_arn = ""
    memory_limit_in_mb = 0
    identity = None
    client_context = None
    trace_parent: Optional[str] = None
    trace_state: Optional[str] = None

    def __init__(self, call: Call) -> None:
        self.aws_request_id = call.request_id
        self.request_id = call.request_id
        self._deadline_millis = call.deadline_millis
        if call.headers is not None:
            self.trace_parent = call.headers.get(TRACE_PARENT)
            self.trace_state = call.headers.get(TRACE_STATE)
            self.client_context = header_value(call.headers.get(CLIENT_CONTEXT))
            self.identity = header_value(call.headers.get(IDENTITY))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call times out, at least 0."""
        return max(0, self._deadline_millis - int(time.time() * 1000))

    def __repr__(self) -> str:
        return f"Context(request_id={self.request_id!r}, function_brn={self.function_brn!r})"


def parse_event(event: bytes) -> Any:
    """The event of a call (§5): JSON, else the text as it is; empty means {}."""
    return json_or_text(str(event, "utf-8", "replace")) if event else {}


def json_or_text(text: str) -> Any:
    """The value of the text, or the text where it is not JSON."""
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        return text


def parse_headers(block: bytes) -> dict[int, str]:
    """The header block of a call (§5): texts, by number. Raises ProtocolError."""
    headers = {}
    start = 0
    while start < len(block):
        end = value = start + HEADER_FIXED.size
        if value <= len(block):
            number, length = HEADER_FIXED.unpack_from(block, start)
            end += length
        if end > len(block):
            raise ProtocolError("a header of INVOKE is longer than its block")
        if number in headers:
            raise ProtocolError(f"INVOKE has the header {number} twice")
        headers[number] = str(block[value:end], "utf-8", "replace")
        start = end
    return headers


def header_value(text: Optional[str]) -> Any:
    """The value of a header that is JSON; None when there is none."""
    return None if text is None else attributes(json_or_text(text))


def answer_bytes(value: Any) -> bytes:
    """The answer's bytes of a value (§5). Raises RuntimeFailure if they cannot be sent."""
    if isinstance(value, str):
        answer = value.encode("utf-8", "replace")
    elif isinstance(value, (bytes, bytearray, memoryview)):
        answer = bytes(value)
    else:
        try:
            answer = write_json(value).encode("utf-8", "replace")
        except Exception as error:
            message = f"The answer cannot be written as JSON: {message_of(error)}"
            raise RuntimeFailure("Runtime.MarshalError", message) from None
    if len(answer) > MAX_PAYLOAD_BYTES:
        message = f"The answer is longer than {MAX_PAYLOAD_BYTES} bytes"
        raise RuntimeFailure("Runtime.ResponseSizeTooLarge", message)
    return answer


# --- Error objects (§6) --------------------------------------------------------------------------


def error_object(error: BaseException) -> bytes:
    """The JSON of an error object. Never raises, whatever was raised at us."""
    if isinstance(error, RuntimeFailure):
        error_type, stack_trace = error.error_type, error.stack_trace
    else:
        error_type, stack_trace = type(error).__name__, stack_trace_of(error)
    return write_json(
        {
            "errorMessage": cut(message_of(error), ERROR_TEXT_CHARACTERS),
            "errorType": cut(error_type, STACK_LINE_CHARACTERS),
            "stackTrace": [cut(line, STACK_LINE_CHARACTERS) for line in stack_trace],
        }
    ).encode("utf-8", "replace")


def message_of(error: BaseException) -> str:
    """The error as text, also if its own __str__ fails."""
    try:
        return str(error)
    except BaseException:
        return f"an error of the class {type(error).__name__} that cannot be read"


def stack_trace_of(error: BaseException) -> list[str]:
    """The frames of user code, innermost first."""
    frames: list[tuple[str, str]] = []
    traceback: Optional[TracebackType] = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        line = f'File "{code.co_filename}", line {traceback.tb_lineno}, in {code.co_name}'
        if not code.co_filename.startswith("<frozen importlib"):
            frames.append((code.co_filename, line))
        traceback = traceback.tb_next
    # Ours are the frames that called user code and those that user code called, as print() does.
    while frames and frames[-1][0] == OWN_FILE:
        frames.pop()
    for index in range(len(frames) - 1, -1, -1):
        if frames[index][0] == OWN_FILE:
            del frames[: index + 1]
            break
    lines = [line for _, line in reversed(frames)]
    if isinstance(error, SyntaxError) and error.filename is not None:
        lines.insert(0, f'File "{error.filename}", line {error.lineno}')
    return lines[:ERROR_STACK_FRAMES]


def cut(text: str, most: int) -> str:
    """The text, or its beginning."""
    return text if len(text) <= most else f"{text[:most]}…"


# --- Loading -------------------------------------------------------------------------------------


def parse_load(payload: bytes) -> dict[str, Any]:
    """The payload of LOAD, checked (§4). Raises ProtocolError."""
    try:
        load: Any = parse_json(str(payload, "utf-8"))
    except ValueError:
        raise ProtocolError("LOAD is not JSON") from None
    expected = {
        "functionBrn": str,
        "functionName": str,
        "functionVersion": str,
        "handler": str,
        "codeRoot": str,
        "memoryMegabytes": int,
        "timeoutSeconds": int,
        "concurrency": int,
        "environment": dict,
    }
    for name, kind in expected.items():
        if not isinstance(load, dict) or not isinstance(load.get(name), kind):
            raise ProtocolError(f'LOAD has no {kind.__name__} "{name}"')
    if load["concurrency"] < 1:
        raise ProtocolError("LOAD has a concurrency below 1")
    return load  # type: ignore[no-any-return]


def set_environment(load: dict[str, Any]) -> None:
    """Sets what §4 says; the engine's names win."""
    memory = str(load["memoryMegabytes"])
    set_variables(load["environment"])
    set_variables(
        {
            "EASYFAAS_FUNCTION_BRN": load["functionBrn"],
            "EASYFAAS_FUNCTION_NAME": load["functionName"],
            "EASYFAAS_FUNCTION_VERSION": load["functionVersion"],
            "EASYFAAS_FUNCTION_MEMORY_SIZE": memory,
            "EASYFAAS_FUNCTION_HANDLER": load["handler"],
            "BCE_USER_FUNCTION_BRN": load["functionBrn"],
            "BCE_USER_FUNCTION_NAME": load["functionName"],
            "BCE_USER_FUNCTION_MEMSIZE": memory,
            "BCE_USER_FUNCTION_VERSION": load["functionVersion"],
            "BCE_USER_FUNCTION_HANDLER": load["handler"],
            "BCE_USER_CODE_ROOT": load["codeRoot"],
        }
    )
    time.tzset()  # TZ may be among them.


def set_variables(variables: dict[str, str]) -> None:
    """As os.environ.update. The dictionary is what os.environ shows, imported already or later."""
    encoding = sys.getfilesystemencoding()
    for name, value in variables.items():
        name_bytes = name.encode(encoding, "surrogateescape")
        value_bytes = value.encode(encoding, "surrogateescape")
        posix.putenv(name_bytes, value_bytes)
        posix.environ[name_bytes] = value_bytes


def set_context(load: dict[str, Any]) -> None:
    """Sets what is the same in the context of every call."""
    Context.function_name = load["functionName"]
    Context.function_version = load["functionVersion"]
    Context.function_brn = load["functionBrn"]
    Context.invoked_function_arn = load["functionBrn"]
    Context.memory_limit_in_mb = load["memoryMegabytes"]


def load_handler(code_root: str, handler_name: str) -> Callable[[Any, Context], Any]:
    """Imports the module and finds the handler in it. Raises what LOAD_FAILED is to say."""
    path, _, function = handler_name.rpartition(".")
    module_name = path.replace("/", ".")
    if not function or not all(module_name.split(".")):
        message = f'The handler "{handler_name}" is not of the form "module.function"'
        raise RuntimeFailure("Runtime.MalformedHandlerName", message)

    posix.chdir(code_root)
    if sys.path and sys.path[0] == OWN_DIRECTORY:
        del sys.path[0]  # Where this file lies is no place to import from (absent under -I).
    sys.path.insert(0, code_root)
    try:
        __import__(module_name)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == module_name:
            message = f'Cannot find module "{path}" in {code_root}'
        else:
            message = f'Cannot import module "{path}": {message_of(error)}'
        stack_trace = stack_trace_of(error)
        raise RuntimeFailure("Runtime.ImportModuleError", message, stack_trace) from None
    except SyntaxError as error:
        if error.filename is None or error.filename.startswith("<"):
            raise  # The module runs, and compiled something that is not a file.
        message = f"{type(error).__name__}: {message_of(error)}"
        stack_trace = stack_trace_of(error)
        raise RuntimeFailure("Runtime.UserCodeSyntaxError", message, stack_trace) from None

    handler = getattr(sys.modules[module_name], function, None)
    if not callable(handler):
        message = f'The module "{path}" has no function "{function}"'
        raise RuntimeFailure("Runtime.HandlerNotFound", message)
    return handler  # type: ignore[no-any-return]


def is_coroutine_function(handler: Any) -> bool:
    """Whether calling it returns a coroutine, as far as can be told without calling it."""
    for candidate in (handler, getattr(type(handler), "__call__", None)):
        function = getattr(candidate, "__func__", candidate)
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & CO_COROUTINE:
            return True
    return False


def log_to_stderr_by_default() -> None:
    """Gives the root logger a handler if user code imports logging and gives it none.

    Without one, records below WARNING vanish whatever level user code sets.
    """
    logging = sys.modules.get("logging")
    if logging is not None and not logging.root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("[%(levelname)s] %(name)s: %(message)s"))
        logging.root.addHandler(handler)


# --- Output --------------------------------------------------------------------------------------


class Output:
    """Writes what calls print, as records of text of one call each (§1). Thread-safe.

    Whole lines are written when they end: what a call wrote must not be lost with a process that
    hangs or is killed. Bytes stay bytes until then, so a character may come in pieces. The lock
    orders a call's output before its RESULT. It is re-entrant because a destructor or a signal
    handler may write while its own thread is writing.

    While one call is in flight, who writes waits until it is written: what it, or a child of it,
    then writes to the descriptors comes after.
    """

    def __init__(self, writer: Writer, calls: dict[int, Call]) -> None:
        # No secret: whoever could read it is the function itself.
        self.mark = posix.urandom(MARK_BYTES)
        self._writer = writer
        self._records = Writer(self._put, WHOLE_WRITE_BYTES)
        self._calls = calls
        self._lock = _thread.RLock()
        self._descriptor = STDOUT_DESCRIPTOR
        self._forked = False

    def open(self) -> None:
        """Opens the pipe anew: it stays what it is whatever user code makes of descriptor 1."""
        try:
            self._descriptor = posix.open("/proc/self/fd/1", posix.O_WRONLY | posix.O_CLOEXEC)
        except OSError:
            pass  # Not a pipe; so it is the descriptor itself.

    def write(self, flags: int, text: bytes) -> None:
        if self._forked:
            posix.write(STDERR_DESCRIPTOR if flags else STDOUT_DESCRIPTOR, text)
            return
        with self._lock:
            call = self._writing()
            text = call.unended[flags] + text
            ended = text.rfind(b"\n") + 1
            if len(text) - ended >= LONGEST_LINE_BYTES:
                ended = whole_characters(text)
            call.unended[flags] = text[ended:]
            if ended == 0:
                return
            self._append(flags, self._id(call), text[:ended])
        self._flush()

    def flush(self, flags: int) -> None:
        """Writes the unended line of the current call, but for a character that has not ended."""
        if self._forked:
            return
        with self._lock:
            call = self._writing()
            unended = call.unended[flags]
            ended = whole_characters(unended)
            if ended == 0:
                return
            call.unended[flags] = unended[ended:]
            self._append(flags, self._id(call), unended[:ended])
        self._flush()

    def answer(self, call: Call, flags: int, payload: bytes) -> None:
        """Sends the RESULT of a call after everything it wrote."""
        with self._lock:
            call.answered = True
            for each in (0, STDERR):
                if call.unended[each]:
                    self._append_unended(call, each)
        self._records.settle()
        self._writer.send(frame(RESULT, flags, call.id, payload))

    def finish(self) -> None:
        """Waits until everything is written, a second at most. For a process that is ending."""
        self._records.finish()

    def become_child(self) -> None:
        """After fork the connection is the parent's; the descriptors are still ours to write."""
        self._forked = True

    @staticmethod
    def _writing() -> Call:
        call = current_call.get()
        return NO_CALL if call.answered else call

    def _id(self, call: Call) -> int:
        """The id to name output after: of code without a call, that of the only call in flight."""
        if call is not NO_CALL:
            return call.id
        calls = list(self._calls)
        return calls[0] if len(calls) == 1 else NO_CALL.id

    def _append_unended(self, call: Call, flags: int) -> None:
        text = call.unended[flags]
        call.unended[flags] = b""
        if whole_characters(text) < len(text):
            text = str(text, "utf-8", "replace").encode()
        self._append(flags, call.id, text)

    def _append(self, flags: int, call_id: int, text: bytes) -> None:
        """Appends text as records, of which none cuts a character."""
        view = memoryview(text)
        start = 0
        while start < len(text):
            end = min(len(text), start + MAX_RECORD_TEXT_BYTES)
            if end < len(text):
                end -= 3 - whole_characters(text[end - 3 : end])
            header = RECORD.pack(0xFF, self.mark, flags, end - start, call_id)
            self._records.append(b"".join((header, view[start:end])))
            start = end

    def _flush(self) -> None:
        if len(self._calls) > 1:
            self._records.flush()
        else:
            self._records.settle()

    def _put(self, records: bytes) -> None:
        while True:
            try:
                written = posix.write(self._descriptor, records)
                if written == len(records):
                    return
                records = records[written:]
            except BlockingIOError:
                time.sleep(0.001)  # A child has made the descriptor it shares with us not block.
            except OSError:
                return  # The controller is gone; its end of stream ends the process.


def encode_output(text: str) -> bytes:
    """UTF-8; what is not a character is shown as an escape."""
    return text.encode("utf-8", "backslashreplace")


def whole_characters(text: bytes) -> int:
    """The length of the text without a character at its end whose last bytes have yet to come."""
    for back in range(1, min(len(text), 3) + 1):
        byte = text[-back]
        if byte >= 0xC0:  # The first byte of several, and says of how many.
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(text) - back if back < length else len(text)
        if byte < 0x80:
            break
    return len(text)


class LogStream(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr."""

    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    mode = "w"

    def __init__(self, output: Output, descriptor: int, name: str) -> None:
        self._output = output
        self._descriptor = descriptor
        self._flags = STDERR if descriptor == STDERR_DESCRIPTOR else 0
        self.name = name
        self.buffer = LogBytes(self, output, self._flags)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self._flags, encode_output(text))
        return len(text)

    def flush(self) -> None:
        self._output.flush(self._flags)

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def reconfigure(self, **_: Any) -> None:
        """Accepted: frames are UTF-8 and lines are sent when they end, whatever is asked for."""

    def close(self) -> None:
        """Like the streams of the interpreter, it stays open."""


class LogBytes(io.BufferedIOBase):
    """The binary side of a LogStream, `sys.stdout.buffer`."""

    def __init__(self, stream: LogStream, output: Output, flags: int) -> None:
        self._stream = stream
        self._output = output
        self._flags = flags

    def write(self, data: Any) -> int:
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        data = bytes(memoryview(data))
        self._output.write(self._flags, data)
        return len(data)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Stays open, as its stream does."""


def inherit_context_in_threads() -> None:
    """Makes threads started by a call, and jobs it gives to a thread pool, belong to it.

    To be called before threading is imported, which takes the functions that start threads from
    the module that is patched here.
    """
    for name in ("start_new_thread", "start_joinable_thread"):  # The latter: from Python 3.13 on.
        start_thread = getattr(_thread, name, None)
        if start_thread is not None:
            setattr(_thread, name, inheriting(start_thread))


def inheriting(start_thread: Callable[..., Any]) -> Callable[..., Any]:
    """A function that starts threads in a copy of the context of whoever calls it."""

    def start(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if "concurrent.futures.thread" in sys.modules:
            inherit_context_in_pools()
        context = contextvars.copy_context()

        def run_in_context(*arguments: Any, **named: Any) -> Any:
            return context.run(function, *arguments, **named)

        return start_thread(run_in_context, *args, **kwargs)

    return start


def inherit_context_in_pools() -> None:
    """Patches ThreadPoolExecutor, once.

    Called when a thread is started after its import: the first job of a pool starts its first
    thread, and from the second on, threads are older than the jobs they run.
    """
    executor = sys.modules["concurrent.futures.thread"].ThreadPoolExecutor
    submit_job = executor.submit
    code = getattr(submit_job, "__code__", None)  # What user code has put there may have none.
    if code is not None and code.co_filename == OWN_FILE:
        return

    def submit(self: Any, job: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return submit_job(self, contextvars.copy_context().run, job, *args, **kwargs)

    executor.submit = submit


# --- The runner ----------------------------------------------------------------------------------


class Runner:
    """One connection to the controller, from HELLO to the end of the stream."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._reader = FrameReader()
        self._writer = Writer(self._send, SENT_AT_ONCE_BYTES)
        self._calls: dict[int, Call] = {}
        self._output = Output(self._writer, self._calls)
        self._handler: Optional[Callable[[Any, Context], Any]] = None
        # The context variables as the module left them, copied for every call.
        self._context = contextvars.Context()

    def run(self) -> NoReturn:
        """Serves until the end of the stream."""
        try:
            version = "%d.%d.%d" % sys.version_info[:3]
            hello = {
                "protocol": PROTOCOL,
                "language": "python",
                "languageVersion": version,
                "outputMark": self._output.mark.hex(),
            }
            self._writer.send(frame(HELLO, 0, 0, write_json(hello).encode()))
            self._output.open()
            self._capture()
            self._prepare()
            load = self._await_load()
            self._load(load)
            if self._handler is None:
                while True:
                    self._next_call()
            elif is_coroutine_function(self._handler):
                self._serve_coroutines()
            else:
                self._serve(load["concurrency"])
        except ProtocolError as error:
            end(EXIT_PROTOCOL_ERROR, message_of(error))

    def _send(self, frames: bytes) -> None:
        try:
            self._connection.sendall(frames)
        except OSError:
            posix._exit(0)  # The controller is gone.

    def _capture(self) -> None:
        inherit_context_in_threads()
        for name in ("exit", "quit"):  # The site module makes them, which -S leaves out.
            if not hasattr(builtins, name):
                setattr(builtins, name, sys.exit)
        # Also the names under which programs look for what there was before they replaced it.
        sys.stdout = sys.__stdout__ = LogStream(self._output, STDOUT_DESCRIPTOR, "<stdout>")
        sys.stderr = sys.__stderr__ = LogStream(self._output, STDERR_DESCRIPTOR, "<stderr>")
        posix.register_at_fork(after_in_child=self._become_child)

    def _prepare(self) -> None:
        """Rehearses and imports in advance, while nothing comes."""
        wait = PREPARE_AFTER_SECONDS
        for name in (REHEARSAL, *PREPARED_MODULES):
            try:
                self._connection.settimeout(wait)
                self._connection.recv(1, MSG_PEEK)
                break  # There is something to read, also at the end of the stream.
            except (timeout, BlockingIOError):
                wait = 0
            except OSError:
                break
            try:
                if name == REHEARSAL:
                    rehearse()
                else:
                    __import__(name)
            except Exception:
                pass  # Who needs it is told.
        self._connection.settimeout(None)

    def _become_child(self) -> None:
        self._output.become_child()
        self._connection.close()

    # Reading

    def _read(self) -> tuple[int, int, bytes]:
        """The next frame; waits for it."""
        while True:
            arrived = self._reader.next()
            if arrived is not None:
                return arrived
            try:
                open_ = self._reader.fill(self._connection.recv_into)
            except ConnectionError:
                open_ = False
            if not open_:
                posix._exit(0)

    def _await_load(self) -> dict[str, Any]:
        while True:
            frame_type, call_id, payload = self._read()
            if frame_type == LOAD:
                return parse_load(payload)
            if frame_type == INVOKE:
                raise ProtocolError("INVOKE before LOAD")
            self._on_other(frame_type, call_id, payload)

    def _next_call(self) -> tuple[Call, bytes]:
        """The next call and its event; waits for it."""
        while True:
            frame_type, call_id, payload = self._read()
            if frame_type == INVOKE:
                return self._on_invoke(call_id, payload)
            self._on_other(frame_type, call_id, payload)

    def _on_invoke(self, call_id: int, payload: bytes) -> tuple[Call, bytes]:
        if self._handler is None:
            raise ProtocolError("INVOKE after LOAD_FAILED")
        if len(payload) < INVOKE_FIXED.size:
            raise ProtocolError("INVOKE is shorter than its fixed part")
        deadline_millis, id_bytes, header_bytes = INVOKE_FIXED.unpack_from(payload)
        header_start = INVOKE_FIXED.size + id_bytes
        event_start = header_start + header_bytes
        if event_start > len(payload):
            raise ProtocolError("INVOKE is shorter than its request id and headers")
        if header_bytes > MAX_HEADER_BLOCK_BYTES:
            raise ProtocolError("the header block of INVOKE is too long")
        if call_id == 0 or call_id in self._calls:
            raise ProtocolError(f"INVOKE with the id {call_id}, which is not free")
        request_id = payload[INVOKE_FIXED.size : header_start].decode("ascii", "replace")
        headers = parse_headers(payload[header_start:event_start]) if header_bytes else None
        call = Call(call_id, request_id, deadline_millis, headers)
        self._calls[call_id] = call
        return call, payload[event_start:]

    def _on_other(self, frame_type: int, call_id: int, payload: bytes) -> None:
        if frame_type == PING:
            self._writer.send(frame(PONG, 0, call_id, b""))
        elif frame_type == LOAD:
            raise ProtocolError("a second LOAD")
        elif frame_type == CREDIT:
            # For a call that was answered: it crossed our RESULT. Answers in parts are not made.
            if len(payload) != CREDIT_BYTES:
                raise ProtocolError("CREDIT is not a number")
        elif frame_type != CANCEL:  # There is nothing a Python handler could be told.
            raise ProtocolError(f"frame of unknown type {frame_type}")

    # Loading

    def _load(self, load: dict[str, Any]) -> None:
        started = time.monotonic()
        try:
            set_environment(load)
            set_context(load)
            handler = load_handler(load["codeRoot"], load["handler"])
            log_to_stderr_by_default()
        except SystemExit as error:
            self._prepare_exit(error)
            failure = RuntimeFailure("Runtime.ExitError", exit_message(error))
            self._send_load_failed(failure)
            self._exit(error)
        except BaseException as error:
            self._send_load_failed(error)
            return
        self._handler = handler
        self._context = contextvars.copy_context()
        self._flush_output()
        ready = {"initMillis": int((time.monotonic() - started) * 1000)}
        self._writer.send(frame(READY, 0, 0, write_json(ready).encode()))

    def _send_load_failed(self, error: BaseException) -> None:
        self._flush_output()
        self._writer.send(frame(LOAD_FAILED, 0, 0, error_object(error)))

    def _flush_output(self) -> None:
        self._output.flush(0)
        self._output.flush(STDERR)

    # Serving

    def _serve(self, concurrency: int) -> NoReturn:
        """Leader and followers: one thread reads a call and runs it, having let the next one read.

        No call is handed from thread to thread, and calls run on the thread that is awake anyway.
        """
        most = 1 if concurrency == 1 else concurrency + 1  # one is left to read
        reading = _thread.allocate_lock()
        threads = 1

        def serve() -> NoReturn:
            nonlocal threads
            while True:
                with reading:
                    call, event = self._next_call()
                    if threads < most and threads <= len(self._calls):
                        # Imported by the main thread: that is what it takes for the main thread.
                        import threading

                        name = f"calls-{threads + 1}"
                        try:
                            threading.Thread(target=lead, name=name, daemon=True).start()
                            threads += 1
                        except Exception:
                            pass  # User code has used up what it may have: calls wait meanwhile.
                self._context.copy().run(self._answer, call, event)

        def lead() -> NoReturn:
            try:
                serve()
            except ProtocolError as error:
                end(EXIT_PROTOCOL_ERROR, message_of(error))

        lead()

    def _serve_coroutines(self) -> NoReturn:
        import asyncio

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        tasks: set[asyncio.Task[None]] = set()  # The loop itself holds them only weakly.

        def start(call: Call, event: bytes) -> None:
            current_call.set(call)
            task = loop.create_task(self._answer_coroutine(call, event))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def receive() -> None:
            try:
                open_ = self._reader.fill(
                    lambda buffer: self._connection.recv_into(buffer, 0, MSG_DONTWAIT)
                )
            except BlockingIOError:
                return
            except ConnectionError:
                open_ = False
            if not open_:
                posix._exit(0)
            while True:
                arrived = self._reader.next()
                if arrived is None:
                    return
                frame_type, call_id, payload = arrived
                if frame_type == INVOKE:
                    self._context.copy().run(start, *self._on_invoke(call_id, payload))
                else:
                    self._on_other(frame_type, call_id, payload)

        def on_readable() -> None:
            try:
                receive()
            except ProtocolError as error:
                end(EXIT_PROTOCOL_ERROR, message_of(error))

        loop.add_reader(self._connection, on_readable)
        on_readable()  # Frames may have come together with LOAD.
        while True:
            loop.run_forever()  # User code may stop the loop; calls go on all the same.

    def _answer(self, call: Call, event: bytes) -> None:
        current_call.set(call)
        try:
            value = self._handler(parse_event(event), Context(call))  # type: ignore[misc]
            if hasattr(type(value), "__await__"):
                value = await_value(value)
            answer = answer_bytes(value)
        except BaseException as error:
            self._fail(call, error)
        else:
            self._finish(call, 0, answer)

    async def _answer_coroutine(self, call: Call, event: bytes) -> None:
        try:
            answer = answer_bytes(
                await self._handler(parse_event(event), Context(call))  # type: ignore[misc]
            )
        except BaseException as error:
            self._fail(call, error)
        else:
            self._finish(call, 0, answer)

    def _finish(self, call: Call, flags: int, payload: bytes) -> None:
        # First, for the id is free as soon as the RESULT is sent.
        del self._calls[call.id]
        self._output.answer(call, flags, payload)

    def _fail(self, call: Call, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            self._prepare_exit(error)
            message = f"RequestID: {call.request_id} {exit_message(error)}"
            failure = RuntimeFailure("Runtime.ExitError", message)
            self._finish(call, FAILED | ENDING, error_object(failure))
            self._exit(error)
        self._finish(call, FAILED, error_object(error))

    def _prepare_exit(self, error: SystemExit) -> None:
        """Does what the interpreter does before it ends, but does not wait for other threads.

        Before the controller is told, who ends what is left of the sandbox then.
        """
        import atexit

        try:
            if not (error.code is None or isinstance(error.code, int)):
                print(error.code, file=sys.stderr)
        except BaseException:
            pass  # As the interpreter does.
        try:
            atexit._run_exitfuncs()
        except BaseException:
            pass  # The interpreter has reported it.

    def _exit(self, error: SystemExit) -> NoReturn:
        self._flush_output()
        self._output.finish()
        self._writer.finish()
        posix._exit(exit_status(error))


def exit_status(error: SystemExit) -> int:
    """The status that the interpreter ends with."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def exit_message(error: SystemExit) -> str:
    """What is told of a call whose function ends the process."""
    return f"{EXIT_MESSAGE}: exit status {exit_status(error)}"


class Nowhere:
    """Stands for a connection whose other end nobody reads."""

    def sendall(self, frames: bytes) -> None:
        pass


def rehearse() -> None:
    """Loads a function and calls it, as LOAD and INVOKE will: what is slow only at the first time.

    In a runner of its own. What it leaves behind, the environment and the context, LOAD sets anew.
    """
    directory, path, writes_nothing = posix.getcwd(), sys.path[:], sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        rehearsal = Runner(Nowhere())  # type: ignore[arg-type]
        names = ("functionBrn", "functionName", "functionVersion", "memoryMegabytes")
        load = {**dict.fromkeys(names, ""), "environment": {}, "codeRoot": OWN_DIRECTORY}
        rehearsal._load({**load, "handler": f"{REHEARSAL}.handler"})
        if rehearsal._handler is not None:
            call, event = rehearsal._on_invoke(1, bytes(INVOKE_FIXED.size) + REHEARSED_EVENT)
            rehearsal._context.copy().run(rehearsal._answer, call, event)
    finally:
        sys.dont_write_bytecode = writes_nothing
        sys.path[:] = path
        sys.path_importer_cache.pop(OWN_DIRECTORY, None)
        sys.modules.pop(REHEARSAL, None)
        posix.chdir(directory)


def await_value(value: Any) -> Any:
    """Waits for what a handler returned that only turned out to be a coroutine when called."""
    import asyncio

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def end(status: int, explanation: str) -> NoReturn:
    """Ends the process with a status of ours."""
    line = f"easyfaas runner: {explanation}\n".encode("utf-8", "replace")
    try:
        posix.write(STDERR_DESCRIPTOR, line)
    except OSError:
        pass  # User code has closed the descriptor, or nobody reads what is in it.
    posix._exit(status)


OWN_DIRECTORY = __file__.rpartition("/")[0]
# This file's name in stack traces. Not __file__: that is runner.pyc where the runtime is compiled.
OWN_FILE = end.__code__.co_filename


def main() -> NoReturn:
    try:
        connection = socket(AF_UNIX, SOCK_STREAM, 0, CONNECTION_DESCRIPTOR)
        posix.set_inheritable(CONNECTION_DESCRIPTOR, False)  # Nothing for children of user code.
    except OSError as error:
        end(EXIT_PROTOCOL_ERROR, f"descriptor {CONNECTION_DESCRIPTOR}: {error.strerror}")
    Runner(connection).run()


if __name__ == "__main__":
    main()
