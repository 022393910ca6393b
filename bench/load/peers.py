"""What the engine is measured against: servers with the same handler, without any platform."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from types import TracebackType

from . import java
from .system import CACHE, HANDLERS, NODE, PYTHON, free_port, is_listening, wait_until

NPM_PEERS = ("workerd", "deno")


class Peer(AbstractContextManager["Peer"]):
    """A server process on a free port of loopback; entering returns when it listens."""

    def __init__(self, name: str, command: list[str], port: int) -> None:
        self.name = name
        self.command = command
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Peer:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: is_listening(self.port), f"{self.name} listens")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def node_http() -> Peer:
    port = free_port()
    return Peer("node:http", [NODE, str(HANDLERS / "bare.js"), str(port)], port)


def python_http() -> Peer:
    port = free_port()
    return Peer("http.server", [PYTHON, str(HANDLERS / "bare.py"), str(port)], port)


def deno() -> Peer:
    port = free_port()
    program = npm_program("deno", "@deno/*/deno")
    script = str(HANDLERS / "bare.deno.js")
    return Peer("deno", [program, "run", "--allow-net", script, str(port)], port)


def workerd() -> Peer:
    port = free_port()
    program = npm_program("workerd", "@cloudflare/workerd-linux-*/bin/workerd")
    return Peer(
        "workerd",
        [program, "serve", f"--socket-addr=http=127.0.0.1:{port}", str(HANDLERS / "workerd.capnp")],
        port,
    )


def netty() -> Peer:
    port = free_port()
    return Peer("bare Netty", java.command("io.easyfaas.bench.NettyEcho", str(port)), port)


def npm_program(package: str, binary: str) -> str:
    """A program out of the npm packages, which are installed when they are not there."""
    directory = CACHE / "npm"
    modules = directory / "node_modules"
    if not (modules / package).is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private":true}\n')
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *NPM_PEERS],
            cwd=directory,
            check=True,
        )
    found = sorted(modules.glob(binary))
    if not found:
        raise FileNotFoundError(f"{modules}/{binary}")
    return str(found[0])
