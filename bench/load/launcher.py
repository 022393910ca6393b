"""The launcher on its own, driven as funclet drives it, see docs/launcher.md."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import tempfile
from types import TracebackType
from typing import Any

from .system import LAUNCHER, ROOT

V1_CONTROLLERS = ("memory", "cpu", "cpuacct", "pids", "freezer")
FIRST_UID = 0x70000000
UIDS = 2048
TIMEOUT_SECONDS = 30


class Cgroups:
    """Groups like funclet's: one a slot in every hierarchy, with its limits."""

    def __init__(self) -> None:
        self.parents = [parent / f"easyfaas-bench-{os.getpid()}" for parent in self.own()]
        self.is_v1 = len(self.parents) > 1

    @staticmethod
    def own() -> list[pathlib.Path]:
        """Groups of this process, one a hierarchy that is needed."""
        mounts = {}
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            left, right = line.split(" - ")
            kind, _, options = right.split(" ")[:3]
            if kind.startswith("cgroup"):
                for name in options.split(",") if kind == "cgroup" else [""]:
                    mounts[name] = pathlib.Path(left.split(" ")[4])
        paths = {}
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            for name in names.split(","):
                paths[name] = path.lstrip("/")
        wanted = V1_CONTROLLERS if "memory" in mounts else ("",)
        found = []
        for name in wanted:
            own = mounts[name] / paths.get(name, "")
            found.append(own if own.is_dir() else mounts[name])
        return list(dict.fromkeys(found))

    def make(self, slot: str) -> list[pathlib.Path]:
        groups = [parent / slot for parent in self.parents]
        for group in groups:
            group.mkdir(parents=True, exist_ok=True)
        limits = (
            {"memory.limit_in_bytes": 128 << 20, "cpu.shares": 205, "pids.max": 256}
            if self.is_v1
            else {"memory.max": 128 << 20, "cpu.weight": 20, "pids.max": 256}
        )
        for group in groups:
            for name, value in limits.items():
                if (group / name).exists():
                    (group / name).write_text(str(value))
        return groups

    def remove(self) -> None:
        for parent in self.parents:
            if parent.is_dir():
                for group in [child for child in parent.iterdir() if child.is_dir()]:
                    group.rmdir()
                parent.rmdir()


class Launcher:
    """A running `easyfaas-launcher serve`, with a root file system as `easyfaas up` lays it out.

    A context manager. Not thread-safe: `send` several requests, then `receive` their answers.
    """

    def __init__(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="easyfaas-bench-")
        self.cgroups = Cgroups()
        self.numbers = 0

    def __enter__(self) -> Launcher:
        data = f"{self.scratch}/data"
        subprocess.run(
            [str(ROOT / "easyfaas"), "runner-runtime", "--data-dir", data],
            check=True, capture_output=True,
        )  # fmt: skip
        description = json.loads(pathlib.Path(data, "rootfs.json").read_text())
        self.rootfs = f"{data}/rootfs"
        self.empty = f"{data}/empty"
        os.mkdir(self.empty)
        self.binds = description["binds"]
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{self.scratch}/launcher.sock")
            server.listen(1)
            server.settimeout(TIMEOUT_SECONDS)
            self.process = subprocess.Popen(
                [str(LAUNCHER), "serve", f"{self.scratch}/launcher.sock"], env={}
            )
            self.channel, _ = server.accept()
        self.channel.settimeout(TIMEOUT_SECONDS)
        self.lines = self.channel.makefile("r", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lines.close()
        self.channel.close()
        self.process.wait(timeout=TIMEOUT_SECONDS)
        self.cgroups.remove()
        shutil.rmtree(self.scratch)

    def send(self, *words: str) -> int:
        """Sends a request and returns its number."""
        self.numbers += 1
        body = struct.pack(">I", self.numbers) + b"".join(word.encode() + b"\0" for word in words)
        self.channel.sendall(struct.pack(">I", len(body)) + body)
        return self.numbers

    def receive(self) -> dict[str, Any]:
        """The next answer; events are passed over. Raises when the request was refused."""
        while True:
            answer = json.loads(self.lines.readline())
            if "request" in answer:
                if not answer["ok"]:
                    raise RuntimeError(f"launcher: {answer}")
                return answer

    def ask(self, *words: str) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        self.send(*words)
        return self.receive()

    def open(self, slot: str) -> None:
        """Makes a slot's groups, and starts its keeper."""
        groups = [word for group in self.cgroups.make(slot) for word in ("--cgroup", str(group))]
        self.ask("open", slot, *groups)

    def sources(self) -> list[tuple[str, str]]:
        """What the root has of the host, and where: for those who only know binds."""
        return [("/".join(parts), to) for *parts, to in self.binds]

    def create_command(self, slot: str) -> list[str]:
        """What funclet's SandboxLayout says."""
        binds = [
            word for bind in self.binds
            for word in ("--bind-ro" if len(bind) == 2 else "--part", *bind)
        ]  # fmt: skip
        number = int(re.sub(r"\D", "", slot) or 0)
        return [
            "create", slot, "--rootfs", self.rootfs, "--empty", self.empty, *binds,
            "--proc", "/proc", "--dev", "/dev", "--shm-bytes", str(16 << 20),
            "--tmpfs", "/tmp", str(64 << 20), "1777",
            *(
                ["--file", "/etc/hosts", "127.0.0.1 localhost\n"]
                if os.path.isfile(f"{self.rootfs}/etc/hosts") else []
            ),
            "--hostname", slot, "--uid-map", str(FIRST_UID + number * UIDS), str(UIDS),
        ]  # fmt: skip

    @staticmethod
    def exec_command(slot: str, *command: str) -> list[str]:
        return ["exec", slot, "--cwd", "/", "--rlimit", "core", "1", "1", "--", *command]
