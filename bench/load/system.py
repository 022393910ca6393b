"""Facts about the machine and its processes, read from /proc."""

from __future__ import annotations

import os
import pathlib
import platform
import socket
import subprocess
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "bench"
HANDLERS = BENCH / "handlers"
CACHE = BENCH / "target"  # Peers that were downloaded or built.
DIST = ROOT / "cli" / "target" / "dist"  # What `./dev build` makes.
LAUNCHER = DIST / "bin" / "easyfaas-launcher"
NODE = "/usr/bin/node"
PYTHON = "/usr/bin/python3"


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(
    holds: Callable[[], bool], what: str, seconds: float = 60, pause: float = 0.01
) -> None:
    """Returns once the condition holds. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def output(*command: str) -> str:
    """What a command prints, or nothing when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    except OSError:
        return ""


def machine() -> str:
    """One line that tells on what the figures were measured."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = meminfo("MemTotal") / (1 << 30)
    return (
        f"{os.cpu_count()} × {cpu}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Node.js {output(NODE, '--version')}, {output(PYTHON, '--version')}"
    )


def commit() -> str:
    """The short hash of the commit, `-dirty` added when tracked files have been changed."""
    name = output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") or "unknown"
    changed = output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    files = [line[3:] for line in changed.splitlines()]
    is_other = any(not file.startswith(("bench/", "docs/")) for file in files)
    return name + ("-dirty" if is_other else "")


def meminfo(key: str) -> int:
    """A line of /proc/meminfo, in bytes."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def rss(pid: int) -> int:
    """Resident memory of a process in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise KeyError("VmRSS")


def cpu_of_threads(pid: int) -> dict[str, float]:
    """Seconds of processor time so far by thread name, added up over threads of one name.

    From schedstat, which counts nanoseconds; stat counts hundredths of a second.
    """
    seconds: dict[str, float] = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended.
        seconds[name] = seconds.get(name, 0.0) + spent
    return seconds


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process so far, ended threads included."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
