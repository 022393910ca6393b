"""Tests of runner.py: the real runner in a process of its own, a controller played here.

Usage: python3 -m unittest discover -s runner-runtime/python
"""

from __future__ import annotations

import collections
import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, Union

import runner

RUNNER = Path(__file__).with_name("runner.py").resolve()
FIXTURES = RUNNER.parents[2] / "common/src/test/resources/wire/frames.json"

HELLO, LOAD, READY, LOAD_FAILED, INVOKE, RESULT = 1, 2, 3, 4, 5, 6
CANCEL, PING, PONG, CREDIT = 9, 10, 11, 12
# Not a frame's: stands for a record of the pipe among the frames that arrive.
LOG = 256
HEADER_NUMBERS = {"traceParent": 1, "traceState": 2, "clientContext": 3, "identity": 4}
MAX_PAYLOAD_BYTES = 6815744

# A hung runner fails its test instead of the whole run.
LIMIT_SECONDS = 30

# Puts the connection where a runner inherits it: subprocess passes descriptors as they are.
BECOME_RUNNER = """
import os, sys
if sys.argv[1] != "3":
    os.dup2(int(sys.argv[1]), 3)
    os.close(int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""

BRN = "brn:cloud:faas:bj:account:function:hello:7"
ERROR_MEMBERS = ["errorMessage", "errorType", "stackTrace"]
FAR_DEADLINE_MILLIS = 4102444800000


def frame(frame_type: int, call_id: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">IBBHI", 8 + len(payload), frame_type, flags, 0, call_id) + payload


def invoke_payload(
    event: bytes, request_id: str, deadline_millis: int, headers: dict[str, str] = {}
) -> bytes:
    block = b"".join(
        struct.pack(">BH", HEADER_NUMBERS.get(name, 255), len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    fixed = struct.pack(">QHH", deadline_millis, len(request_id), len(block))
    return fixed + request_id.encode() + block + event


class Frame:
    """A frame the runner sent."""

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded
        _, self.type, self.flags, _, self.id = struct.unpack_from(">IBBHI", encoded)
        self.payload = encoded[12:]

    @property
    def text(self) -> str:
        return self.payload.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    def __repr__(self) -> str:
        return f"Frame({self.type}, {self.flags}, {self.id}, {self.payload[:200]!r})"


class Record:
    """Text that the runner has written to the pipe as the output of a call."""

    type = LOG

    def __init__(self, flags: int, call_id: int, text: bytes) -> None:
        self.flags = flags
        self.id = call_id
        self.payload = text
        self.text = text.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Record({self.flags}, {self.id}, {self.text[:200]!r})"


class Controller:
    """The controller's side of one runner process."""

    def __init__(self, test: unittest.TestCase, options: tuple[str, ...] = ("-I", "-S")) -> None:
        self.test = test
        self.directory = Path(tempfile.mkdtemp(prefix="easyfaas-runner-"))
        test.addCleanup(shutil.rmtree, self.directory)
        self.code_root = self.directory / "task"
        self.code_root.mkdir()
        self.socket, inherited = socket.socketpair()
        self.pipe, output = os.pipe()
        os.set_blocking(self.pipe, False)
        test.addCleanup(os.close, self.pipe)
        # What is no record, and all that was printed, in order.
        self.raw = ""
        self.printed: list[tuple[Union[int, str], str]] = []
        self._mark = b""
        self._unread = b""
        self._pipe_open = True
        self._arrived: collections.deque[Any] = collections.deque()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BECOME_RUNNER, str(inherited.fileno())]
            + [sys.executable, *options, str(RUNNER)],
            pass_fds=(inherited.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"]},
        )
        test.addCleanup(self._stop)
        inherited.close()
        os.close(output)
        self.socket.settimeout(LIMIT_SECONDS)
        self.hello = self.next()
        test.assertEqual(self.hello.type, HELLO)
        self._mark = b"\xff" + bytes.fromhex(self.hello.json["outputMark"])

    def _stop(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def exited(self) -> tuple[int, str]:
        """Waits for the runner's end: its status, and what it wrote to its descriptors."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while self._pipe_open and time.monotonic() < deadline:
            select.select([self.pipe], [], [], LIMIT_SECONDS)
            self._read_printed()
        return self.process.wait(LIMIT_SECONDS), self.raw

    def send(self, *frames: bytes) -> None:
        self.socket.sendall(b"".join(frames))

    def _receive(self, size: int) -> bytes:
        parts = []
        while size > 0:
            part = self.socket.recv(min(size, 1 << 20))
            if not part:
                raise EOFError("the runner closed the connection")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def next(self) -> Any:
        """The next frame or record. What was printed before a frame was sent comes before it."""
        while not self._arrived:
            sources = [self.socket, self.pipe] if self._pipe_open else [self.socket]
            readable, _, _ = select.select(sources, [], [], LIMIT_SECONDS)
            if not readable:
                raise TimeoutError(f"nothing in {LIMIT_SECONDS} s")
            if self.socket not in readable:
                self._read_printed()
                continue
            try:
                head = self._receive(4)
                arrived = Frame(head + self._receive(int.from_bytes(head, "big")))
            except (EOFError, ConnectionError):
                self._read_printed()
                if self._arrived:
                    break
                raise
            self._read_printed()
            self._arrived.append(arrived)
        return self._arrived.popleft()

    def _read_printed(self) -> None:
        while self._pipe_open:
            try:
                read = os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                return
            self._pipe_open = read != b""
            self._unread += read
            self._cut_printed()

    def _cut_printed(self) -> None:
        while self._unread:
            start = self._unread.find(self._mark) if self._mark else -1
            if start != 0:
                end = len(self._unread) if start < 0 else start
                text = self._unread[:end].decode("utf-8", "replace")
                self.raw += text
                self.printed.append(("raw", text))
                self._unread = self._unread[end:]
                continue
            if len(self._unread) < 16:
                return
            flags, size, call_id = struct.unpack_from(">BHI", self._unread, 9)
            if len(self._unread) < 16 + size:
                return
            record = Record(flags, call_id, self._unread[16 : 16 + size])
            self._unread = self._unread[16 + size :]
            self.printed.append((record.id, record.text))
            self._arrived.append(record)

    def remaining(self) -> list[Any]:
        """The frames and records until the runner closes the connection."""
        frames = []
        try:
            while True:
                frames.append(self.next())
        except (EOFError, ConnectionError):
            return frames

    def load(self, files: dict[str, str], **load: Any) -> None:
        for name, content in files.items():
            file = self.code_root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        facts = {
            "functionBrn": BRN,
            "functionName": "hello",
            "functionVersion": "7",
            "handler": "index.handler",
            "codeRoot": str(self.code_root),
            "memoryMegabytes": 128,
            "timeoutSeconds": 5,
            "concurrency": 10,
            "environment": {},
        }
        self.send(frame(LOAD, 0, json.dumps({**facts, **load}).encode()))

    def load_answer(self) -> tuple[Frame, list[Any]]:
        """READY or LOAD_FAILED, and the records before it."""
        logs = []
        while (arrived := self.next()).type == LOG:
            logs.append(arrived)
        return arrived, logs

    def ready(self, code: Union[str, dict[str, str]], **load: Any) -> list[Any]:
        """Loads code that is expected to load; returns what it logged meanwhile."""
        self.load({"index.py": code} if isinstance(code, str) else code, **load)
        answer, logs = self.load_answer()
        self.test.assertEqual(answer.type, READY, answer)
        return logs

    def invoke(
        self,
        call_id: int,
        event: Union[str, bytes] = b"{}",
        request_id: str = "request-1",
        deadline_millis: int = FAR_DEADLINE_MILLIS,
        headers: dict[str, str] = {},
    ) -> None:
        encoded = event.encode() if isinstance(event, str) else event
        payload = invoke_payload(encoded, request_id, deadline_millis, headers)
        self.send(frame(INVOKE, call_id, payload))

    def result(self, call_id: int) -> tuple[Frame, list[Any]]:
        """The RESULT of a call, and the records before it."""
        logs = []
        while (arrived := self.next()).type == LOG:
            logs.append(arrived)
        self.test.assertEqual((arrived.type, arrived.id), (RESULT, call_id), arrived)
        return arrived, logs

    def call(self, event: Union[str, bytes] = b"{}", call_id: int = 1, **options: Any) -> Frame:
        self.invoke(call_id, event, **options)
        result, _ = self.result(call_id)
        self.test.assertEqual(result.flags, 0, result)
        return result

    def call_error(self, event: Union[str, bytes] = b"{}", call_id: int = 1) -> dict[str, Any]:
        self.invoke(call_id, event)
        result, _ = self.result(call_id)
        self.test.assertEqual(result.flags, 1, result)
        self.test.assertEqual(list(result.json), ERROR_MEMBERS)
        return result.json  # type: ignore[no-any-return]


def text_of(logs: list[Any]) -> str:
    return "".join(log.text for log in logs)


def with_fixtures() -> dict[str, list[dict[str, Any]]]:
    return json.loads(FIXTURES.read_text())  # type: ignore[no-any-return]


class FramesTest(unittest.TestCase):
    def test_the_reader_cuts_the_fixtures_apart_however_they_arrive(self) -> None:
        fixtures = with_fixtures()["frames"]
        stream = b"".join(bytes.fromhex(fixture["hex"]) for fixture in fixtures)
        expected = [
            (fixture["type"], fixture["id"], bytes.fromhex(fixture["hex"])[12:])
            for fixture in fixtures
        ]
        self.assertTrue(expected)
        for step in range(1, 200):
            reader = runner.FrameReader()
            frames = []
            for offset in range(0, len(stream), step):
                chunk = stream[offset : offset + step]

                def receive_into(buffer: memoryview, chunk: bytes = chunk) -> int:
                    buffer[: len(chunk)] = chunk
                    return len(chunk)

                self.assertTrue(reader.fill(receive_into))
                while (arrived := reader.next()) is not None:
                    frames.append(arrived)
            self.assertEqual(frames, expected, f"in chunks of {step}")

    def test_frame_writes_the_fixtures(self) -> None:
        for fixture in with_fixtures()["frames"]:
            with self.subTest(fixture["name"]):
                if fixture["type"] == INVOKE:
                    payload = invoke_payload(
                        fixture["eventUtf8"].encode(),
                        fixture["requestId"],
                        fixture["deadlineMillis"],
                        fixture.get("headers", {}),
                    )
                elif "payloadHex" in fixture:
                    payload = bytes.fromhex(fixture["payloadHex"])
                else:
                    payload = fixture["payloadUtf8"].encode()
                written = runner.frame(fixture["type"], fixture["flags"], fixture["id"], payload)
                self.assertEqual(written.hex(), fixture["hex"])

    def test_an_invalid_frame_ends_the_runner_with_status_1(self) -> None:
        for fixture in with_fixtures()["invalid"]:
            for handler in ("def handler", "async def handler"):
                with self.subTest(fixture["name"], handler=handler):
                    controller = Controller(self)
                    controller.ready(f"{handler}(event, context): pass")
                    controller.send(bytes.fromhex(fixture["hex"]))
                    status, raw = controller.exited()
                    self.assertEqual(status, 1, fixture["why"])
                    self.assertRegex(raw, r"^easyfaas runner: .+\n$")

    def test_pong_answers_ping_byte_for_byte_as_in_the_fixtures(self) -> None:
        by_name = {fixture["name"]: fixture["hex"] for fixture in with_fixtures()["frames"]}
        controller = Controller(self)
        controller.send(bytes.fromhex(by_name["ping"]))
        self.assertEqual(controller.next().encoded.hex(), by_name["pong"])

    def test_long_output_becomes_several_records_of_whole_characters(self) -> None:
        controller = Controller(self)
        controller.ready("def handler(event, context): print('a' + '\\U0001f680' * 100_000)")
        controller.invoke(1)
        _, logs = controller.result(1)
        self.assertGreater(len(logs), 1)
        self.assertEqual(text_of(logs), "a" + "\U0001f680" * 100_000 + "\n")


class LifeTest(unittest.TestCase):
    def test_hello_names_protocol_and_language(self) -> None:
        version = "%d.%d.%d" % sys.version_info[:3]
        hello = Controller(self).hello.json
        self.assertRegex(hello.pop("outputMark"), r"^[0-9a-f]{16}$")
        self.assertEqual(
            hello, {"protocol": 2, "language": "python", "languageVersion": version}
        )

    def test_a_runner_started_long_before_load_answers_ping_then_loads(self) -> None:
        controller = Controller(self)
        for call_id in (1, 2, 3):
            controller.send(frame(PING, call_id))
            pong = controller.next()
            self.assertEqual((pong.type, pong.id), (PONG, call_id))
        controller.load({"index.py": "def handler(event, context): return 'late'"})
        answer, _ = controller.load_answer()
        self.assertEqual(answer.type, READY)
        self.assertGreaterEqual(answer.json["initMillis"], 0)
        self.assertEqual(controller.call().text, "late")

    def test_it_runs_with_and_without_the_site_module(self) -> None:
        for options in ((), ("-I",), ("-S",), ("-I", "-S")):
            with self.subTest(options):
                controller = Controller(self, options)
                controller.ready(
                    {
                        "index.py": "import sys, runner\ndef handler(e, c): return [runner.OK, sys.path[0]]",
                        "runner.py": "OK = True",
                    }
                )
                self.assertEqual(controller.call().json, [True, str(controller.code_root)])

    def test_ping_is_answered_while_calls_wait(self) -> None:
        for code in (
            "import time\ndef handler(event, context): time.sleep(60)",
            "import asyncio\nasync def handler(event, context): await asyncio.sleep(60)",
        ):
            with self.subTest(code):
                controller = Controller(self)
                controller.ready(code, concurrency=2)
                controller.invoke(1)
                controller.invoke(2)
                controller.send(frame(PING, 9))
                pong = controller.next()
                self.assertEqual((pong.type, pong.id), (PONG, 9))

    def test_end_of_stream_ends_the_runner_with_status_0(self) -> None:
        controller = Controller(self)
        controller.socket.close()
        self.assertEqual(controller.exited(), (0, ""))

    def test_end_of_stream_ends_the_runner_while_calls_and_threads_are_alive(self) -> None:
        for code in (
            "import threading, time\n"
            "def handler(event, context):\n"
            "    threading.Thread(target=time.sleep, args=[60]).start()\n"
            "    time.sleep(60)",
            "import asyncio\nasync def handler(event, context): await asyncio.sleep(60)",
        ):
            with self.subTest(code):
                controller = Controller(self)
                controller.ready(code)
                controller.invoke(1)
                controller.send(frame(PING, 2))
                controller.next()
                controller.socket.close()
                self.assertEqual(controller.exited(), (0, ""))

    def test_without_a_controller_the_runner_says_why_and_ends_with_status_1(self) -> None:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(RUNNER)],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr, r"^easyfaas runner: descriptor 3: .+\n$"
        )

    def test_frames_out_of_order_are_protocol_errors(self) -> None:
        for name, sent in {
            "INVOKE before LOAD": frame(INVOKE, 1, invoke_payload(b"{}", "r", 1)),
            "a LOAD that is not JSON": frame(LOAD, 0, b"nonsense"),
            "a LOAD without a handler": frame(LOAD, 0, b'{"functionName":"hello"}'),
            "a LOAD that is null": frame(LOAD, 0, b"null"),
            "a frame only runners send": frame(HELLO, 0, b"{}"),
        }.items():
            with self.subTest(name):
                controller = Controller(self)
                controller.send(sent)
                status, raw = controller.exited()
                self.assertEqual(status, 1)
                self.assertRegex(raw, r"^easyfaas runner: .+\n$")

    def test_a_load_that_is_not_whole_is_a_protocol_error(self) -> None:
        for name, value in {
            "timeoutSeconds": None,
            "concurrency": None,
            "environment": [],
        }.items():
            with self.subTest(name):
                controller = Controller(self)
                controller.load({"index.py": "def handler(event, context): pass"}, **{name: value})
                status, raw = controller.exited()
                self.assertEqual(status, 1)
                self.assertRegex(raw, r"^easyfaas runner: LOAD .+\n$")

    def test_a_header_block_is_at_most_16384_bytes(self) -> None:
        controller = Controller(self)
        controller.ready("def handler(event, context): return len(context.trace_state)")
        most = 16384 - 3
        result = controller.call(headers={"traceState": "x" * most})
        self.assertEqual(result.text, str(most))
        controller.invoke(2, headers={"traceState": "x" * (most + 1)})
        self.assertEqual(controller.exited()[0], 1)

    def test_a_protocol_error_ends_the_runner_also_where_it_cannot_say_why(self) -> None:
        for concurrency in (1, 10):
            with self.subTest(concurrency=concurrency):
                controller = Controller(self)
                code = "import os\nos.close(2)\ndef handler(event, context): return 1"
                controller.ready(code, concurrency=concurrency)
                controller.call()  # From then on it may be another thread that reads.
                controller.send(frame(HELLO, 0, b"{}"))
                self.assertEqual(controller.exited()[0], 1)

    def test_a_second_load_is_a_protocol_error(self) -> None:
        controller = Controller(self)
        controller.ready("def handler(event, context): pass")
        controller.load({})
        self.assertEqual(controller.exited()[0], 1)

    def test_an_id_in_flight_cannot_be_used_again(self) -> None:
        controller = Controller(self)
        controller.ready("import time\ndef handler(event, context): time.sleep(60)")
        controller.invoke(1)
        controller.invoke(1)
        self.assertEqual(controller.exited()[0], 1)

    def test_cancel_breaks_nothing(self) -> None:
        for concurrency in (1, 10):
            with self.subTest(concurrency=concurrency):
                controller = Controller(self)
                controller.ready(
                    "def handler(event, context): return event", concurrency=concurrency
                )
                controller.invoke(1, "1")
                controller.send(frame(CANCEL, 1), frame(CANCEL, 99))
                self.assertEqual(controller.result(1)[0].text, "1")
                self.assertEqual(controller.call("2", 2).text, "2")


class HandlerTest(unittest.TestCase):
    def test_answers(self) -> None:
        for code, event, answer in (
            ("def handler(event, context): return 'text'", "{}", b"text"),
            ("def handler(event, context): return ''", "{}", b""),
            ("def handler(event, context): pass", "{}", b"null"),
            (
                "def handler(event, context): return {'a': [1, True, None]}",
                "{}",
                b'{"a":[1,true,null]}',
            ),
            ("def handler(event, context): return event['n'] + 1", '{"n":41}', b"42"),
            ("def handler(event, context): return 'grüße 世界 🚀'", "{}", "grüße 世界 🚀".encode()),
            ("def handler(event, context): return ['grüße']", "{}", '["grüße"]'.encode()),
            ("def handler(event, context): return b'\\x00\\xff'", "{}", b"\x00\xff"),
            ("def handler(event, context): return bytearray(b'\\xff')", "{}", b"\xff"),
            ("def handler(event, context): return memoryview(b'\\xff')", "{}", b"\xff"),
            ("def handler(event, context): return event", "", b"{}"),
            (
                "def handler(event, context): return type(event).__name__ + event",
                "{nope",
                b"str{nope",
            ),
            ("def handler(event, context): return event", b"\xff\xfe", "\ufffd\ufffd".encode()),
            ("def handler(event, context): return len(event)", "[" * 200_000, b"200000"),
            ("async def handler(event, context): return event['n']", '{"n":1}', b"1"),
            (
                "import asyncio\nasync def handler(e, c):\n  await asyncio.sleep(0)\n  return 'x'",
                "{}",
                b"x",
            ),
            ("async def f(): return 'x'\nhandler = lambda event, context: f()", "{}", b"x"),
            ("class H:\n  def __call__(self, e, c): return 'x'\nhandler = H()", "{}", b"x"),
            ("class H:\n  async def __call__(self, e, c): return 'x'\nhandler = H()", "{}", b"x"),
            ("class H:\n  async def m(self, e, c): return 'x'\nhandler = H().m", "{}", b"x"),
            (
                "class A:\n  def __getattr__(self, n): return 1\ndef handler(e, c): A(); return 'x'",
                "{}",
                b"x",
            ),
        ):
            for concurrency in (1, 10):
                with self.subTest(code, event=event[:20], concurrency=concurrency):
                    controller = Controller(self)
                    controller.ready(code, concurrency=concurrency)
                    self.assertEqual(controller.call(event, 1).payload, answer)
                    self.assertEqual(controller.call(event, 2).payload, answer, "the second time")

    def test_modules(self) -> None:
        for name, files, handler in (
            ("a directory", {"src/app/main.py": "def run(e, c): return 'ok'"}, "src/app/main.run"),
            ("a dotted path", {"src/main.py": "def run(e, c): return 'ok'"}, "src.main.run"),
            ("a package", {"app/__init__.py": "def run(e, c): return 'ok'"}, "app.run"),
            (
                "dependencies",
                {
                    "lib/k.py": "K = 'k'",
                    "dep.py": "O = 'o'",
                    "index.py": "import dep\nfrom lib.k import K\ndef handler(e, c): return dep.O + K",
                },
                "index.handler",
            ),
        ):
            with self.subTest(name):
                controller = Controller(self)
                controller.ready(files, handler=handler)
                self.assertEqual(controller.call().text, "ok")

    def test_the_context_describes_the_call(self) -> None:
        controller = Controller(self)
        controller.ready(
            "def handler(event, c):\n"
            "    return [c.aws_request_id, c.request_id, c.function_name, c.function_version,\n"
            "            c.function_brn, c.invoked_function_arn, c.memory_limit_in_mb, c.identity,\n"
            "            c.client_context, c.get_remaining_time_in_millis()]"
        )
        deadline_millis = int(time.time() * 1000) + 60_000
        *facts, left = controller.call(request_id="rid-42", deadline_millis=deadline_millis).json
        self.assertEqual(facts, ["rid-42", "rid-42", "hello", "7", BRN, BRN, 128, None, None])
        self.assertTrue(0 < left <= 60_000, left)

    def test_the_context_has_what_goes_with_the_event_and_nothing_where_nothing_does(self) -> None:
        controller = Controller(self)
        controller.ready(
            "def handler(event, context):\n"
            "    client, identity = context.client_context, context.identity\n"
            "    both = [client and [client, client.custom['a'], client.client.appTitle, client.env],\n"
            "            identity and [identity, identity.account]] if event == {} else [client, identity]\n"
            "    return [context.trace_parent, context.trace_state, *both]\n"
        )
        headers = next(
            fixture["headers"]
            for fixture in with_fixtures()["frames"]
            if fixture["name"] == "invoke-with-headers"
        )
        client, identity = json.loads(headers["clientContext"]), json.loads(headers["identity"])
        self.assertEqual(
            controller.call(headers={**headers, "unknown": "?"}).json,
            [
                headers["traceParent"],
                headers["traceState"],
                [client, "b", "grüße", None],
                [identity, identity["account"]],
            ],
        )
        with_text = controller.call('"text"', headers={"clientContext": "no JSON"})
        self.assertEqual(with_text.json, [None, None, "no JSON", None])
        self.assertEqual(controller.call().json, [None] * 4)

    def test_credit_for_a_call_that_is_not_in_flight_is_ignored(self) -> None:
        for kind in ("def", "async def"):
            controller = Controller(self)
            controller.ready(f"{kind} handler(event, context): return 1")
            controller.send(frame(CREDIT, 4, b"\0\1\0\0"))
            self.assertEqual(controller.call().text, "1")

    def test_the_environment_is_the_users_and_the_engines_and_the_engine_wins(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import os, time\n"
            "seen = dict(os.environ)\n"
            "def handler(event, context): return [seen, os.getcwd(), time.timezone]",
            environment={
                "GREETING": "grüße",
                "TZ": "UTC-3",
                "EASYFAAS_FUNCTION_NAME": "stolen",
                "BCE_USER_CODE_ROOT": "/",
            },
        )
        seen, directory, zone = controller.call().json
        for inherited in ("PATH", "LC_CTYPE"):  # The latter is set by the interpreter, PEP 538.
            seen.pop(inherited, None)
        self.assertEqual(
            seen,
            {
                "GREETING": "grüße",
                "TZ": "UTC-3",
                "EASYFAAS_FUNCTION_BRN": BRN,
                "EASYFAAS_FUNCTION_NAME": "hello",
                "EASYFAAS_FUNCTION_VERSION": "7",
                "EASYFAAS_FUNCTION_MEMORY_SIZE": "128",
                "EASYFAAS_FUNCTION_HANDLER": "index.handler",
                "BCE_USER_FUNCTION_BRN": BRN,
                "BCE_USER_FUNCTION_NAME": "hello",
                "BCE_USER_FUNCTION_VERSION": "7",
                "BCE_USER_FUNCTION_MEMSIZE": "128",
                "BCE_USER_FUNCTION_HANDLER": "index.handler",
                "BCE_USER_CODE_ROOT": str(controller.code_root),
            },
        )
        self.assertEqual(directory, str(controller.code_root))
        self.assertEqual(zone, -3 * 3600)

    def test_context_variables_of_a_call_are_gone_with_it(self) -> None:
        code = (
            "import contextvars\n"
            "seen = contextvars.ContextVar('seen', default='nothing')\n"
            "seen.set('module')\n"
            "%s handler(event, context):\n"
            "    before = seen.get()\n"
            "    seen.set('call')\n"
            "    return before"
        )
        for kind in ("def", "async def"):
            for concurrency in (1, 10):
                with self.subTest(kind, concurrency=concurrency):
                    controller = Controller(self)
                    controller.ready(code % kind, concurrency=concurrency)
                    self.assertEqual(controller.call(call_id=1).text, "module")
                    self.assertEqual(controller.call(call_id=2).text, "module")


class ColdStartTest(unittest.TestCase):
    COSTLY = ("os", "json", "re", "enum", "threading", "socket", "collections", "functools")

    def imported(self, controller: Controller) -> list[str]:
        code = f"import sys\nfound = [m for m in {self.COSTLY} if m in sys.modules]\n"
        controller.ready(code + "def handler(event, context): return found", concurrency=1)
        return controller.call('{"a": [1.5, "x", null]}').json  # type: ignore[no-any-return]

    def test_costly_modules_are_not_imported_when_load_comes_at_once(self) -> None:
        self.assertEqual(self.imported(Controller(self)), [])

    def test_they_are_imported_while_no_load_comes(self) -> None:
        controller = Controller(self)
        self.wait_until_idle(controller)
        self.assertEqual(self.imported(controller), list(self.COSTLY))

    def wait_until_idle(self, controller: Controller) -> None:
        stat = Path(f"/proc/{controller.process.pid}/stat")
        deadline = time.monotonic() + LIMIT_SECONDS
        before, spent = -1, 0
        while before != spent or spent == 0:  # Until it uses no more of the processor.
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.3)
            fields = stat.read_text().rpartition(")")[2].split()
            before, spent = spent, int(fields[11]) + int(fields[12])

    def test_a_runner_that_waits_for_load_has_rehearsed_and_nothing_of_it_is_seen(self) -> None:
        controller = Controller(self, ("-I", "-S", "-X", "importtime"))
        self.wait_until_idle(controller)
        controller.ready(
            """
import os, sys
place = [os.getcwd() == os.path.dirname(__file__), sys.path[0] == os.getcwd(), sys.path[1:]]
left = [name for name in ("rehearsal", "index") if name in sys.modules]
def handler(event, context):
    return [place, left, context.function_name, os.environ["EASYFAAS_FUNCTION_NAME"], event]
"""
        )
        path = json.loads(
            subprocess.check_output(
                [sys.executable, "-I", "-S", "-c", "import sys, json; print(json.dumps(sys.path))"]
            )
        )
        self.assertEqual(
            controller.call('{"a": 1}').json,
            [[True, True, path], ["index"], "hello", "hello", {"a": 1}],
        )
        controller.socket.close()
        self.assertIn(" rehearsal\n", controller.exited()[1])

    def test_the_environment_shows_in_an_os_that_was_imported_in_advance(self) -> None:
        controller = Controller(self)
        time.sleep(0.5)
        code = "import os\ndef handler(event, context): return os.environ['GREETING']"
        controller.ready(code, environment={"GREETING": "grüße"})
        self.assertEqual(controller.call().text, "grüße")

    def test_a_runner_that_waits_for_load_ends_with_its_controller(self) -> None:
        controller = Controller(self)
        time.sleep(0.3)
        controller.socket.close()
        self.assertEqual(controller.exited(), (0, ""))


class JsonTest(unittest.TestCase):
    def test_it_is_read_as_the_json_module_reads_it(self) -> None:
        for text in (
            "1", " [1, 2.5e3, -0, true, false, null]\r\n\t", '"\\u00e9\\ud83d\\ude00"', "NaN", "-Infinity",
            '{"a": {"b": [[]]}, "a": 2}', "", " ", "[1", "1 2", "{1: 2}", "\ufeff1", "[1,]", "nul",
            '"\x01"', "'a'", "\xa01", "[" * 100_000,
        ):  # fmt: skip
            with self.subTest(text[:30]):
                try:
                    expected = json.loads(text)
                except (ValueError, RecursionError) as error:
                    with self.assertRaises(type(error)):
                        runner.parse_json(text)
                else:
                    self.assertEqual(repr(runner.parse_json(text)), repr(expected))

    def test_it_is_written_as_the_json_module_writes_it(self) -> None:
        circle: list[Any] = []
        circle.append(circle)
        encode = json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode
        for value in (
            1, 1.5, True, None, "é\n\"", {"a": (1, 2), 3: [], None: {}}, [], float("nan"), {1, 2}, circle,
            {(1,): 2}, b"x", -0.0, 10**30,
        ):  # fmt: skip
            with self.subTest(repr(value)):
                try:
                    expected = encode(value)
                except (ValueError, TypeError) as error:
                    with self.assertRaisesRegex(type(error), re.escape(str(error))):
                        runner.write_json(value)
                else:
                    self.assertEqual(runner.write_json(value), expected)


class ConcurrencyTest(unittest.TestCase):
    def test_all_calls_run_at_once_and_results_come_as_they_are_ready(self) -> None:
        for code in (
            "import threading\n"
            "barrier = threading.Barrier(10)\n"
            "order = [threading.Event() for _ in range(11)]\n"
            "order[10].set()\n"
            "def handler(event, context):\n"
            "    barrier.wait()\n"
            "    order[event + 1].wait()\n"
            "    threading.Timer(0.02, order[event].set).start()\n"
            "    return event",
            "import asyncio\n"
            "waiting = []\n"
            "async def handler(event, context):\n"
            "    mine = asyncio.Event()\n"
            "    waiting.append(mine)\n"
            "    if len(waiting) == 10: waiting.pop().set()\n"
            "    await mine.wait()\n"
            "    if waiting: asyncio.get_running_loop().call_later(0.02, waiting.pop().set)\n"
            "    return event",
        ):
            with self.subTest(code):
                controller = Controller(self)
                controller.ready(code, concurrency=10)
                for event in range(10):
                    controller.invoke(event + 100, str(event))
                for event in range(9, -1, -1):
                    self.assertEqual(controller.result(event + 100)[0].text, str(event))

    def test_output_is_named_after_the_call_that_wrote_it(self) -> None:
        for kind, wait in (
            ("def", "time.sleep(0.001)"),
            ("async def", "await asyncio.sleep(0.001)"),
        ):
            with self.subTest(kind):
                controller = Controller(self)
                controller.ready(
                    "import asyncio, logging, sys, time\n"
                    "logging.getLogger().setLevel(logging.INFO)\n"
                    f"{kind} handler(event, context):\n"
                    "    print('start', event)\n"
                    f"    {wait}\n"
                    "    print('middle', end=' ')\n"
                    f"    {wait}\n"
                    "    print(event, file=sys.stderr)\n"
                    f"    {wait}\n"
                    "    logging.getLogger('app').info('%d', event)\n"
                    "    print('end', event, end='')\n"
                    "    return event",
                    concurrency=16,
                )
                calls = 48
                seen: dict[int, list[Any]] = {}
                for call_id in range(1, 17):
                    controller.invoke(call_id, str(call_id * 1000))
                for sent in range(17, calls + 17):
                    while (arrived := controller.next()).type != RESULT:
                        seen.setdefault(arrived.id, []).append(arrived)
                    seen.setdefault(arrived.id, []).append(arrived)
                    if sent <= calls:
                        controller.invoke(sent, str(sent * 1000))
                for call_id in range(1, calls + 1):
                    *logs, result = seen[call_id]
                    event = str(call_id * 1000)
                    self.assertEqual((result.type, result.text), (RESULT, event))
                    written = {
                        flags: text_of([log for log in logs if log.flags == flags])
                        for flags in (0, 1)
                    }
                    self.assertEqual(
                        written,
                        {
                            0: f"start {event}\nmiddle end {event}",
                            1: f"{event}\n[INFO] app: {event}\n",
                        },
                    )

    def test_calls_wait_for_threads_there_are_when_no_more_can_be_started(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import threading, time\n"
            "class Refused(threading.Thread):\n"
            "    def start(self): raise RuntimeError(\"can't start new thread\")\n"
            "threading.Thread = Refused\n"
            "def handler(event, context): return event",
            concurrency=10,
        )
        for call_id in range(1, 5):
            controller.invoke(call_id, str(call_id))
        for call_id in range(1, 5):
            self.assertEqual(controller.result(call_id)[0].text, str(call_id))

    def test_a_thread_pool_that_user_code_has_replaced_a_part_of_works(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import functools, threading\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            "class Traced:\n"
            "    def __init__(self, submit): self.submit = submit\n"
            "    def __get__(self, pool, kind):\n"
            "        return self if pool is None else functools.partial(self, pool)\n"
            "    def __call__(self, *args): return self.submit(*args)\n"
            "ThreadPoolExecutor.submit = Traced(ThreadPoolExecutor.submit)\n"
            "pool = ThreadPoolExecutor(1)\n"
            "def handler(event, context):\n"
            "    pool.submit(print, 'pool', event).result()\n"
        )
        for call_id in (1, 2):
            controller.invoke(call_id, str(call_id))
            result, logs = controller.result(call_id)
            self.assertEqual(result.flags, 0, result)
            self.assertEqual([(log.id, log.text) for log in logs], [(call_id, f"pool {call_id}\n")])

    def test_threads_belong_to_the_call_that_started_them(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import _thread, threading\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            "barrier = threading.Barrier(2)\n"
            "pool = ThreadPoolExecutor(2)\n"
            "class Own(threading.Thread):\n"
            "    def run(self): print('own')\n"
            "def handler(event, context):\n"
            "    barrier.wait()\n"
            "    thread = threading.Thread(target=print, args=['thread', event])\n"
            "    thread.start(); thread.join()\n"
            "    own = Own(); own.start(); own.join()\n"
            "    pool.submit(print, 'pool', event).result()\n"
            "    done = _thread.allocate_lock(); done.acquire()\n"
            "    def low(*args): print(*args); done.release()\n"
            "    _thread.start_new_thread(low, ('low', event)); done.acquire()\n",
            concurrency=2,
        )
        for base in (1, 3, 5):
            controller.invoke(base, str(base))
            controller.invoke(base + 1, str(base + 1))
            logs: dict[int, str] = {}
            answered = 0
            while answered < 2:
                arrived = controller.next()
                if arrived.type == RESULT:
                    self.assertEqual(arrived.flags, 0, arrived)
                    answered += 1
                else:
                    logs[arrived.id] = logs.get(arrived.id, "") + arrived.text
            self.assertEqual(
                logs,
                {each: f"thread {each}\nown\npool {each}\nlow {each}\n" for each in (base, base + 1)},
            )

    def test_output_while_loading_and_after_the_last_answer_has_the_id_0(self) -> None:
        controller = Controller(self)
        logs = controller.ready(
            "import os, threading, time\n"
            "print('loading')\n"
            "print('unended', end='')\n"
            "def late():\n"
            "    while not os.path.exists('answered'): time.sleep(0.001)\n"
            "    print('late')\n"
            "def handler(event, context): threading.Thread(target=late).start()\n"
        )
        self.assertEqual([(log.id, log.flags) for log in logs], [(0, 0)] * len(logs))
        self.assertEqual(text_of(logs), "loading\nunended")
        controller.call(call_id=5)
        (controller.code_root / "answered").touch()
        late = controller.next()
        self.assertEqual((late.type, late.id, late.text), (LOG, 0, "late\n"))

    def test_what_is_printed_by_any_way_is_in_the_pipe_in_order(self) -> None:
        for kind, concurrency in (("def", 1), ("def", 10), ("async def", 10)):
            with self.subTest(kind, concurrency=concurrency):
                controller = Controller(self)
                controller.ready(
                    "import os, subprocess, sys, threading\n"
                    f"{kind} handler(event, context):\n"
                    "    print('a')\n"
                    "    os.write(1, b'b\\n')\n"
                    "    print('c', file=sys.stderr)\n"
                    "    subprocess.run(['/bin/sh', '-c', 'echo d'])\n"
                    "    thread = threading.Thread(target=print, args='e')\n"
                    "    thread.start()\n"
                    "    thread.join()\n"
                    "    with open('/dev/stdout', 'w') as out: out.write('f\\n')\n"
                    "    os.dup2(os.open('/dev/null', os.O_WRONLY), 1)\n"
                    "    print('g')\n",
                    concurrency=concurrency,
                )
                controller.call()
                self.assertEqual(
                    controller.printed,
                    [
                        (1, "a\n"),
                        ("raw", "b\n"),
                        (1, "c\n"),
                        ("raw", "d\n"),
                        (1, "e\n"),
                        ("raw", "f\n"),
                        (1, "g\n"),
                    ],
                )

    def test_output_of_code_without_a_call_belongs_to_the_only_call_in_flight(self) -> None:
        sync_handler = (
            "waiting = []\n"
            "def handler(event, context):\n"
            "    if event == 'go':\n"
            "        while waiting: waiting.pop().set()\n"
            "        return\n"
            "    say(event)\n"
            "    waiting.append(threading.Event())\n"
            "    waiting[-1].wait()\n"
        )
        for name, code in {
            "a listener of a queue": "import logging.handlers, queue, threading\n"
            "lines = queue.Queue()\n"
            "out = logging.StreamHandler()\n"
            "logging.handlers.QueueListener(lines, out).start()\n"
            "def say(line): lines.put(logging.makeLogRecord({'msg': line}))\n" + sync_handler,
            "a pool of threads": "import threading\n"
            "from multiprocessing.pool import ThreadPool\n"
            "pool = ThreadPool(1)\n"
            "def say(line): pool.apply_async(print, [line])\n" + sync_handler,
            "a thread of a call that was answered": "import queue, threading\n"
            "lines = queue.Queue()\n"
            "thread = None\n"
            "def work():\n"
            "    while True: print(lines.get())\n"
            "def say(line):\n"
            "    global thread\n"
            "    if thread is None:\n"
            "        thread = threading.Thread(target=work, daemon=True)\n"
            "        thread.start()\n"
            "    lines.put(line)\n" + sync_handler,
            "a task in the background": "import asyncio\n"
            "lines, task, waiting = None, None, []\n"
            "async def work():\n"
            "    while True: print(await lines.get())\n"
            "async def handler(event, context):\n"
            "    global lines, task\n"
            "    if event == 'go':\n"
            "        while waiting: waiting.pop().set()\n"
            "        return\n"
            "    if task is None:\n"
            "        lines = asyncio.Queue()\n"
            "        task = asyncio.create_task(work())\n"
            "    lines.put_nowait(event)\n"
            "    waiting.append(asyncio.Event())\n"
            "    await waiting[-1].wait()\n",
        }.items():
            with self.subTest(name):
                controller = Controller(self)
                controller.ready(code, concurrency=3)

                def said(call_id: int, line: str) -> tuple[int, str]:
                    controller.invoke(call_id, f'"{line}"')
                    log = controller.next()
                    self.assertEqual(log.type, LOG, log)
                    return log.id, log.text

                self.assertEqual(said(1, "first"), (1, "first\n"))
                controller.invoke(2, '"go"')
                self.assertEqual({controller.next().id, controller.next().id}, {1, 2})
                self.assertEqual(said(3, "third"), (3, "third\n"))
                self.assertEqual(said(4, "of whom?"), (0, "of whom?\n"))

    def test_a_character_written_in_pieces_is_one_whoever_writes_between_them(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import sys, threading\n"
            "barrier = threading.Barrier(2)\n"
            "def handler(event, context):\n"
            "    out, err = sys.stdout.buffer, sys.stderr.buffer\n"
            "    out.write(b'\\xe2'); err.write(b'\\xe2\\x82')\n"
            "    sys.stdout.flush(); err.flush()\n"
            "    barrier.wait()\n"
            "    out.write(b'\\x82\\xac')\n"
            "    err.write(b'\\xac' + event.encode() + b'\\xe2\\x82')\n",
            concurrency=2,
        )
        controller.invoke(1, '"one"')
        controller.invoke(2, '"two"')
        frames = []
        while sum(each.type == RESULT for each in frames) < 2:
            frames.append(controller.next())
        written = [
            b"".join(
                each.payload
                for each in frames
                if (each.type, each.id, each.flags) == (LOG, call_id, flags)
            ).decode()
            for call_id in (1, 2)
            for flags in (0, 1)
        ]
        self.assertEqual(written, ["€", "€one\ufffd", "€", "€two\ufffd"])

    def test_what_a_call_wrote_arrives_even_if_it_never_comes_back(self) -> None:
        for kind in ("def", "async def"):
            controller = Controller(self)
            controller.ready(
                f"import os, signal\n{kind} handler(event, context):\n"
                "    print('last words')\n"
                "    os.kill(os.getpid(), signal.SIGKILL)"
            )
            controller.invoke(1)
            log = controller.next()
            self.assertEqual((log.type, log.id, log.text), (LOG, 1, "last words\n"))

    def test_a_line_that_does_not_end_is_sent_when_it_is_long(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import os, signal\ndef handler(event, context):\n"
            "    print('x' * 200_000, end='')\n"
            "    os.kill(os.getpid(), signal.SIGKILL)"
        )
        controller.invoke(1)
        self.assertEqual(text_of(controller.remaining()), "x" * 200_000)

    def test_the_streams_take_what_streams_take(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import sys\n"
            "def handler(event, context):\n"
            "    sys.stdout.buffer.write(b'bytes \\xff\\n')\n"
            "    sys.stdout.writelines(['several ', 'parts\\n'])\n"
            "    sys.stdout.reconfigure(line_buffering=True)\n"
            "    print('surrogate \\udc80')\n"
            "    sys.stdout.close()\n"
            "    print('open', flush=True)\n"
            "    print('out', file=sys.__stdout__); print('err', file=sys.__stderr__)\n"
            "    try: sys.stdout.write(b'bytes')\n"
            "    except TypeError as error: print(error)\n"
            "    return [sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.isatty(), sys.stdout.encoding]\n"
        )
        controller.invoke(1)
        result, logs = controller.result(1)
        self.assertEqual(
            text_of(logs),
            "bytes \ufffd\nseveral parts\nsurrogate \\udc80\nopen\nout\nerr\n"
            "write() argument must be str, not bytes\n",
        )
        self.assertEqual(result.json, [1, 2, False, "utf-8"])

    def test_a_forked_child_does_not_speak_on_the_connection(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import os\n"
            "def handler(event, context):\n"
            "    pid = os.fork()\n"
            "    if pid == 0:\n"
            "        print('child')\n"
            "        os._exit(0)\n"
            "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n",
            concurrency=1,
        )
        controller.invoke(1)
        result, logs = controller.result(1)
        self.assertEqual((result.text, logs), ("0", []))
        controller.socket.close()
        self.assertEqual(controller.exited(), (0, "child\n"))

    def test_nothing_but_frames_leaves_the_runner(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import logging, sys, threading, warnings\n"
            "def fail(): raise ValueError('in a thread')\n"
            "def handler(event, context):\n"
            "    print('a'); print('b', file=sys.stderr); logging.warning('c'); warnings.warn('d')\n"
            "    thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        )
        controller.invoke(1)
        result, logs = controller.result(1)
        self.assertEqual(result.flags, 0)
        self.assertRegex(
            text_of(logs),
            r"(?s)a\nb\n\[WARNING\] root: c\n.*UserWarning: d.*ValueError: in a thread",
        )
        controller.socket.close()
        self.assertEqual(controller.exited(), (0, ""))


class SizeTest(unittest.TestCase):
    def test_6_mebibytes_go_in_and_out_unharmed(self) -> None:
        for concurrency, kind in ((1, "def"), (10, "def"), (10, "async def")):
            with self.subTest(kind, concurrency=concurrency):
                controller = Controller(self)
                controller.ready(
                    f"{kind} handler(event, context): return event", concurrency=concurrency
                )
                text = "grüße 世界 " * 419_431
                event = json.dumps(text, ensure_ascii=False).encode()
                self.assertGreaterEqual(len(event), 6 * 1024 * 1024)
                sender = threading.Thread(target=controller.invoke, args=(1, event))
                sender.start()
                result, _ = controller.result(1)
                sender.join()
                self.assertTrue(result.text == text, "the answer is the event")
                self.assertEqual(controller.call("1", 2).text, "1", "and it goes on")

    def test_frames_may_arrive_byte_by_byte(self) -> None:
        for concurrency, kind in ((1, "def"), (10, "async def")):
            controller = Controller(self)
            controller.ready(
                f"{kind} handler(event, context): return event", concurrency=concurrency
            )
            for byte in (
                frame(INVOKE, 1, invoke_payload(b'"one"', "r1", 1))
                + frame(PING, 2)
                + frame(INVOKE, 3, invoke_payload(b'"three"', "r3", 1))
            ):
                controller.send(bytes([byte]))
            frames = [controller.next() for _ in range(3)]
            self.assertEqual(
                sorted((each.type, each.id, each.text) for each in frames),
                [(RESULT, 1, "one"), (RESULT, 3, "three"), (PONG, 2, "")],
            )

    def test_the_longest_answer_fits_and_one_byte_more_fails_by_name(self) -> None:
        controller = Controller(self)
        controller.ready(
            "def handler(event, context): return event['kind'][0:1] and 'x' * event['size']"
        )
        size = MAX_PAYLOAD_BYTES
        longest = controller.call(json.dumps({"kind": "text", "size": size}))
        self.assertEqual(len(longest.payload), size)
        error = controller.call_error(json.dumps({"kind": "text", "size": size + 1}), 2)
        self.assertEqual(error["errorType"], "Runtime.ResponseSizeTooLarge")


class ErrorTest(unittest.TestCase):
    def test_failures_of_calls(self) -> None:
        for body, error_type, message in (
            ("raise ValueError('boom')", "ValueError", "boom"),
            ("class Own(Exception): pass\n    raise Own('boom')", "Own", "boom"),
            ("return {}['absent']", "KeyError", "'absent'"),
            ("raise KeyboardInterrupt('boom')", "KeyboardInterrupt", "boom"),
            ("import absent", "ModuleNotFoundError", "No module named 'absent'"),
            ("return object()", "Runtime.MarshalError", "not JSON serializable"),
            ("return float('nan')", "Runtime.MarshalError", "not JSON compliant|Out of range"),
            ("a = []; a.append(a); return a", "Runtime.MarshalError", "(?i)circular"),
            ("return {(1, 2): 3}", "Runtime.MarshalError", "keys must be"),
            (
                "class Bad(Exception):\n        def __str__(self): raise ValueError()\n    raise Bad()",
                "Bad",
                "an error of the class Bad that cannot be read",
            ),
            ("raise ValueError('x' * 8_000_000)", "ValueError", "^x{1000}"),
            ("def f(): f()\n    f()", "RecursionError", "recursion"),
        ):
            for kind in ("def", "async def"):
                with self.subTest(body, kind=kind):
                    controller = Controller(self)
                    controller.ready(f"{kind} handler(event, context):\n    {body}")
                    error = controller.call_error()
                    self.assertEqual(error["errorType"], error_type)
                    self.assertRegex(error["errorMessage"], message)
                    again = controller.call_error(call_id=2)
                    self.assertEqual(again["errorType"], error_type, "the runner goes on")

    def test_the_stack_trace_is_the_users_innermost_first(self) -> None:
        for kind in ("def", "async def"):
            for concurrency in (1, 10):
                with self.subTest(kind, concurrency=concurrency):
                    controller = Controller(self)
                    controller.ready(
                        f"def inner(): raise ValueError()\ndef outer():\n    inner()\n"
                        f"{kind} handler(event, context):\n    outer()",
                        concurrency=concurrency,
                    )
                    file = controller.code_root / "index.py"
                    self.assertEqual(
                        controller.call_error()["stackTrace"],
                        [
                            f'File "{file}", line 1, in inner',
                            f'File "{file}", line 3, in outer',
                            f'File "{file}", line 5, in handler',
                        ],
                    )

    def test_the_stack_trace_leaves_out_what_user_code_called_of_the_runner(self) -> None:
        controller = Controller(self)
        controller.ready("import sys\ndef handler(event, context): sys.stdout.write(1)")
        file = controller.code_root / "index.py"
        error = controller.call_error()
        self.assertEqual(error["errorType"], "TypeError")
        self.assertEqual(error["stackTrace"], [f'File "{file}", line 2, in handler'])

    def load_error(self, files: dict[str, str], **load: Any) -> tuple[dict[str, Any], Controller]:
        controller = Controller(self)
        controller.load(files, **load)
        answer, _ = controller.load_answer()
        self.assertEqual(answer.type, LOAD_FAILED, answer)
        self.assertEqual(list(answer.json), ERROR_MEMBERS)
        return answer.json, controller

    def test_failures_of_loading(self) -> None:
        no_handler = '^The module "index" has no function "handler"$'
        malformed = '^The handler ".*" is not of the form "module.function"$'
        for code, handler, error_type, message in (
            ("other = 1", "index.handler", "Runtime.HandlerNotFound", no_handler),
            ("handler = 1", "index.handler", "Runtime.HandlerNotFound", no_handler),
            (
                None,
                "index.handler",
                "Runtime.ImportModuleError",
                '^Cannot find module "index" in /',
            ),
            (
                None,
                "a/b.handler",
                "Runtime.ImportModuleError",
                "No module named 'a'|Cannot find module",
            ),
            (
                "import absent",
                "index.handler",
                "Runtime.ImportModuleError",
                "No module named 'absent'$",
            ),
            (
                "from os import absent",
                "index.handler",
                "Runtime.ImportModuleError",
                "cannot import name",
            ),
            ("def handler(", "index.handler", "Runtime.UserCodeSyntaxError", "^SyntaxError: "),
            (
                "def f():\npass",
                "index.handler",
                "Runtime.UserCodeSyntaxError",
                "^IndentationError: ",
            ),
            ("compile('(', '<text>', 'exec')", "index.handler", "SyntaxError", "never closed|EOF"),
            ("raise ValueError('boom')", "index.handler", "ValueError", "^boom$"),
            (
                "import sys; sys.exit(3)",
                "index.handler",
                "Runtime.ExitError",
                "^Process exited before completing request: exit status 3$",
            ),
            (None, "index", "Runtime.MalformedHandlerName", malformed),
            (None, "", "Runtime.MalformedHandlerName", malformed),
            (None, "index.", "Runtime.MalformedHandlerName", malformed),
            (None, ".handler", "Runtime.MalformedHandlerName", malformed),
            (None, "../index.handler", "Runtime.MalformedHandlerName", malformed),
            (None, "/index.handler", "Runtime.MalformedHandlerName", malformed),
        ):
            with self.subTest(code, handler=handler):
                files = {} if code is None else {"index.py": code}
                error, _ = self.load_error(files, handler=handler)
                self.assertEqual(error["errorType"], error_type)
                self.assertRegex(error["errorMessage"], message)
                self.assertFalse(
                    [line for line in error["stackTrace"] if not re.search("/task/|<text>", line)]
                )

    def test_a_syntax_error_says_where(self) -> None:
        error, controller = self.load_error({"index.py": "a = 1\nb = = 2\n"})
        self.assertEqual(error["stackTrace"], [f'File "{controller.code_root}/index.py", line 2'])

    def test_an_error_while_loading_has_the_stack_of_the_module(self) -> None:
        error, controller = self.load_error({"index.py": "import other", "other.py": "\n1 / 0"})
        self.assertEqual(error["errorType"], "ZeroDivisionError")
        self.assertEqual(
            error["stackTrace"],
            [
                f'File "{controller.code_root}/other.py", line 2, in <module>',
                f'File "{controller.code_root}/index.py", line 1, in <module>',
            ],
        )

    def test_the_runner_stays_connected_after_load_failed(self) -> None:
        _, controller = self.load_error({"index.py": "handler = 1"})
        controller.send(frame(PING, 4))
        self.assertEqual(controller.next().type, PONG)
        controller.invoke(1)
        self.assertEqual(controller.exited()[0], 1, "but takes no call")

    def test_exit_while_loading_ends_the_process_with_its_status(self) -> None:
        code = "import atexit, sys; atexit.register(print, 'goodbye'); sys.exit(3)"
        controller = Controller(self)
        controller.load({"index.py": code})
        answer, logs = controller.load_answer()
        self.assertEqual(answer.type, LOAD_FAILED)
        self.assertEqual(text_of(logs), "goodbye\n")
        self.assertEqual(controller.exited(), (3, ""))

    def test_exit_fails_its_call_and_ends_the_process(self) -> None:
        for kind in ("def", "async def"):
            for concurrency in (1, 10):
                for statement, status in (
                    ("sys.exit(7)", 7),
                    ("sys.exit()", 0),
                    ("exit(5)", 5),
                    ("sys.exit('why')", 1),
                    ("raise SystemExit(256 + 9)", 9),
                ):
                    with self.subTest(statement, kind=kind, concurrency=concurrency):
                        controller = Controller(self)
                        controller.ready(
                            "import atexit, sys, threading, time\n"
                            "atexit.register(print, 'goodbye')\n"
                            f"{kind} handler(event, context):\n"
                            "    threading.Thread(target=time.sleep, args=[60]).start()\n"
                            "    print('before')\n"
                            f"    {statement}",
                            concurrency=concurrency,
                        )
                        controller.invoke(1, request_id="rid-1")
                        *logs, result = controller.remaining()
                        self.assertEqual((result.type, result.flags), (RESULT, 3))
                        self.assertEqual(
                            result.json,
                            {
                                "errorMessage": "RequestID: rid-1 Process exited before completing request"
                                f": exit status {status}",
                                "errorType": "Runtime.ExitError",
                                "stackTrace": [],
                            },
                        )
                        said = "why\n" if "why" in statement else ""
                        self.assertEqual(text_of(logs), f"before\n{said}goodbye\n")
                        self.assertEqual({log.id for log in logs}, {1})
                        self.assertEqual(controller.exited(), (status, ""))

    def test_exit_ends_the_process_also_when_its_reason_cannot_be_printed(self) -> None:
        for reason in ("Bad()", "closed()"):
            with self.subTest(reason):
                controller = Controller(self)
                controller.ready(
                    "import atexit, sys, threading\n"
                    "atexit.register(print, 'goodbye')\n"
                    "class Bad:\n"
                    "    def __str__(self): raise ValueError()\n"
                    "def closed():\n"
                    "    sys.stderr = open('/dev/null', 'w')\n"
                    "    sys.stderr.close()\n"
                    "    return 'why'\n"
                    "def handler(event, context):\n"
                    "    threading.current_thread() is threading.main_thread() or "
                    f"sys.exit({reason})\n"
                    "    threading.Event().wait()",
                    concurrency=2,
                )
                controller.invoke(1)
                controller.invoke(2)
                arrived = controller.remaining()
                self.assertEqual(text_of([each for each in arrived if each.type == LOG]), "goodbye\n")
                self.assertEqual(controller.exited(), (1, ""))

    def test_os_exit_ends_the_process_after_what_it_wrote(self) -> None:
        controller = Controller(self)
        controller.ready(
            "import os\ndef handler(event, context):\n    print('x' * 1_000_000)\n    os._exit(4)"
        )
        controller.invoke(1)
        self.assertEqual(text_of(controller.remaining()), "x" * 1_000_000 + "\n")
        self.assertEqual(controller.exited(), (4, ""))


if __name__ == "__main__":
    unittest.main()
