#!/usr/bin/env python3
"""Has an engine do what engines do, for its ahead-of-time cache: functions come, are called, and go.

Usage: deploy/train.py DIRECTORY, of an installation. The engine runs on free ports of loopback and in
directories that are removed. Ends with status 1 when something failed.

The JVM keeps what it compiled, and compiles that again soon after each start (JEP 515). First calls,
which are rare in an engine's life, are quick only when there were enough of them here; with more,
a new engine compiles for longer than it gains: a burst of first calls to one took a tenth more.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile

FUNCTIONS = 40
WARM_CALLS = 3
START_SECONDS = 60
STOP_SECONDS = 120  # With the cache that is written then.
CALL_SECONDS = 30
PAUSE_SECONDS = 0.1  # In which a runner is made ready for the next function.
LANGUAGES = (
    ("python3", "index.py", "def handler(event, context):\n    return event\n"),
    ("nodejs", "index.js", "exports.handler = async (event) => event;\n"),
)
ACCOUNT = {"X-easyfaas-Account-Id": "df391b08c64c426a81645468c75163a5"}


def free_ports(count: int) -> list[int]:
    """TCP ports of loopback that nobody uses at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def request(port: int, method: str, path: str, body: str = "") -> bytes:
    """The body of a successful answer. Raises OSError, also for every other status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
    try:
        connection.request(method, path, body or None, ACCOUNT)
        response = connection.getresponse()
        answer = response.read()
    except http.client.HTTPException as e:
        raise OSError(f"{method} {path}: {e}") from e
    finally:
        connection.close()
    if response.status // 100 != 2:
        raise OSError(f"{method} {path}: {response.status} {answer.decode(errors='replace')}")
    return answer


def wait_until_ready(engine: subprocess.Popen[bytes], port: int) -> None:
    """Returns once the engine takes calls. Raises OSError when it has ended or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while engine.poll() is None:
        try:
            request(port, "GET", "/readyz")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    raise OSError(f"the engine ended with status {engine.returncode}")


def code(source: str, text: str, name: str) -> str:
    """A package as the registry takes it; no two functions' are the same."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(source, text)
        zipped.writestr("name.txt", name)
    return base64.b64encode(package.getvalue()).decode()


def train(port: int, registry: int) -> None:
    """Every second function finds a started runner, as it does in an engine with room."""
    for number in range(FUNCTIONS):
        runtime, source, text = LANGUAGES[number // 2 % len(LANGUAGES)]
        name = f"function-{number}"
        document = {
            "Runtime": runtime,
            "Handler": "index.handler",
            "Code": code(source, text, name),
        }
        request(registry, "POST", f"/v1/functions/{name}", json.dumps(document))
        path = f"/v1/functions/{name}/invocations?Qualifier=$LATEST"
        for call in range(WARM_CALLS):
            event = json.dumps({"call": call})
            answer = request(port, "POST", path, event)
            if json.loads(answer) != {"call": call}:
                raise OSError(f"{name} answered {answer!r}")
        request(registry, "DELETE", f"/v1/functions/{name}")
        for slot in json.loads(request(port, "GET", "/v1/runtimes")):
            if number % 2 and slot["State"] == "warm":
                request(port, "POST", f"/v1/runtimes/{slot['RuntimeID']}/invalidate")
        time.sleep(PAUSE_SECONDS)


def stop(engine: subprocess.Popen[bytes]) -> None:
    """Returns once the engine has ended, by force if it takes too long."""
    engine.send_signal(signal.SIGTERM)
    try:
        engine.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()


def main() -> int:
    if len(sys.argv) != 2:
        print((__doc__ or "").splitlines()[2], file=sys.stderr)
        return 2
    port, registry, trigger = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="easyfaas-training-") as directory:
        command = [
            os.path.join(sys.argv[1], "easyfaas"), "up",
            f"--port={port}", f"--registry-port={registry}", f"--trigger-port={trigger}",
            f"--data-dir={directory}/data", f"--run-dir={directory}/run",
            "--container-num=3", "--max-prewarmed=1",
            "--runner-memory=64MiB",  # So that it runs where there is little memory.
        ]  # fmt: skip
        with subprocess.Popen(command) as engine:
            try:
                wait_until_ready(engine, port)
                train(port, registry)
                failed = 0
            except OSError as e:
                print(f"training: {e}", file=sys.stderr)
                failed = 1
            finally:
                stop(engine)
    return failed


if __name__ == "__main__":
    sys.exit(main())
