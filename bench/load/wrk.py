"""The load generator: wrk with the script post.lua, one thread."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass

from .system import BENCH

SCRIPT = BENCH / "load" / "post.lua"


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw. Latencies in milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float


def wrk(url: str, connections: int, seconds: float, *paths: str) -> Load:
    """Posts the 100-byte event for some seconds. Ends the bench when an answer is not a success.

    With `paths`, the requests go to them in turn instead of the address's own.
    """
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s",
        "-s", str(SCRIPT), url, "--", *paths,
    ]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    raw = json.loads(output.strip().splitlines()[-1])
    if raw["failed"] or not raw["requests"]:
        sys.exit(f"{raw['failed']} of {raw['requests']} requests failed: {shlex.join(command)}")
    return Load(
        raw["requests"],
        raw["requests"] / (raw["micros"] / 1e6),
        raw["p50"] / 1000,
        raw["p99"] / 1000,
    )
