"""An engine for one measurement: started, used over HTTP, stopped, nothing left behind."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
import zipfile
from types import TracebackType

from . import java
from .system import LAUNCHER, ROOT, free_port, wait_until

ACCOUNT = "df391b08c64c426a81645468c75163a5"
HEADERS = {"X-easyfaas-Account-Id": ACCOUNT, "Content-Type": "application/json"}
STOP_SECONDS = 60


class Engine:
    """`./easyfaas up` on free ports of loopback, with directories of its own.

    A context manager; entering it returns when it takes calls. Needs root. With `profiled`
    it runs on the JDK and not on the engine's own runtime, which may lack the flight recorder.
    """

    def __init__(
        self, *flags: str, slots: int = 1, java_flags: str = "", profiled: bool = False
    ) -> None:
        self.scratch = tempfile.TemporaryDirectory(prefix="easyfaas-bench-")
        self.port, self.registry_port, trigger_port = (free_port() for _ in range(3))
        directory = self.scratch.name
        self.log = pathlib.Path(directory, "engine.log")
        program = java.engine_command() if profiled else [str(ROOT / "easyfaas")]
        self.command = [
            *program, "up",
            f"--port={self.port}", f"--registry-port={self.registry_port}",
            f"--trigger-port={trigger_port}", f"--data-dir={directory}/data",
            f"--run-dir={directory}/run", f"--container-num={slots}", *flags,
        ]  # fmt: skip
        self.environment = {
            **os.environ,
            "EASYFAAS_JAVA_FLAGS": java_flags,
            "EASYFAAS_LAUNCHER": str(LAUNCHER),
            "EASYFAAS_LOG_LEVEL": "WARN",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def __enter__(self) -> Engine:
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, stderr=log, env=self.environment)
        try:
            wait_until(self.answers, f"{self.log.name}: engine ready", pause=0.001)
        except BaseException:
            self.stop()
            raise
        self.seconds_to_ready = time.monotonic() - self.started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self.log.exists():
            print(self.log.read_text(errors="replace")[-4000:])
        self.stop()

    @property
    def pid(self) -> int:
        """Of the JVM: the script becomes it by exec."""
        assert self.process is not None
        return self.process.pid

    def answers(self) -> bool:
        """Whether the engine says that it takes calls. Fails when it has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"engine ended: {self.log.read_text(errors='replace')[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Ends the engine and removes its directories. Safe to call twice."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.scratch.cleanup()

    def url(self, function: str) -> str:
        """Where a function is called."""
        return f"http://127.0.0.1:{self.port}{self.path(function)}"

    @staticmethod
    def path(function: str) -> str:
        return f"/v1/functions/{function}/invocations?Qualifier=$LATEST"

    def deploy(
        self, name: str, source: pathlib.Path, runtime: str, concurrency: int = 1, memory: int = 128
    ) -> None:
        """Registers a function of one file; its handler is `handler` in that file.

        Every function's code has its own hash, so that none finds another's in the code cache.
        """
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as package:
            package.write(source, source.name)
            package.writestr("name.txt", name)
        document = {
            "Runtime": runtime,
            "Handler": f"{source.stem}.handler",
            "PodConcurrentQuota": concurrency,
            "MemorySize": memory,
            "Code": base64.b64encode(code.getvalue()).decode(),
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.registry_port}/v1/functions/{name}",
            json.dumps(document).encode(),
            HEADERS,
        )
        urllib.request.urlopen(request, timeout=10).close()

    def call(self, function: str, event: str = "{}") -> float:
        """Calls a function on a new connection.

        Returns seconds from the request's first byte to the answer's. Neither connecting is counted
        nor the time Python takes to put the one together and the other apart.
        """
        headers = {**HEADERS, "Host": "bench", "Connection": "close", "Content-Length": len(event)}
        lines = [f"POST {self.path(function)} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        request = "\r\n".join([*lines, "", event]).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            start = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(1)
            seconds = time.perf_counter() - start
            with connection.makefile("rb") as rest:
                answer += rest.read()
        if not answer.startswith(b"HTTP/1.1 200 ") or b"-Function-Error:" in answer:
            raise RuntimeError(f"{function}: {answer.decode(errors='replace')}")
        return seconds

    def slots(self) -> list[dict[str, object]]:
        """What the controller tells of its slots."""
        url = f"http://127.0.0.1:{self.port}/v1/runtimes"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def states(self) -> dict[str, int]:
        """How many slots are in which state, from the metrics: they tell what stands by."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.findall(r'^easyfaas_slots\{state="(\w+)"\} ([0-9.]+)', text, re.MULTILINE)
        return {state: int(float(count)) for state, count in found}

    def wait_for_states(self, expected: dict[str, int], seconds: float = 60) -> None:
        """Returns once exactly so many slots are in these states."""

        def holds() -> bool:
            states = self.states()
            return all(states[state] == count for state, count in expected.items())

        wait_until(holds, f"slots as {expected}", seconds)

    def invalidate(self, slot_id: str) -> None:
        """Has a slot reset."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/runtimes/{slot_id}/invalidate", b"", HEADERS
        )
        urllib.request.urlopen(request, timeout=10).close()
