#!/usr/bin/env python3
"""The engine by itself: time to ready, memory after its start and after a million calls.

Ready: the first answer of the controller's health page, counted from exec of `./easyfaas up`.
Memory: VmRSS of the one JVM; launcher and runners are not in it. Run as root.
"""

from __future__ import annotations

import time

from load import stats
from load.engine import Engine
from load.results import Aim, Figure, Result, arguments
from load.system import HANDLERS, rss
from load.wrk import wrk

MEBIBYTE = 1 << 20
SETTLE_SECONDS = 12  # The JVM gives back what its start took after 5 to 10.
LONGEST_LOAD_SECONDS = 120


def start(slots: int) -> tuple[float, float]:
    """Seconds to ready, and MiB when it has settled."""
    with Engine(slots=slots) as engine:
        time.sleep(SETTLE_SECONDS)
        return engine.seconds_to_ready, rss(engine.pid) / MEBIBYTE


def load(calls: int) -> list[tuple[int, float]]:
    """Calls so far and MiB, until that many were made. 16 connections."""
    with Engine() as engine:
        engine.deploy("echo", HANDLERS / "echo.js", "nodejs", concurrency=100)
        engine.call("echo")
        done = 0
        memory = [(0, rss(engine.pid) / MEBIBYTE)]
        deadline = time.monotonic() + LONGEST_LOAD_SECONDS
        while done < calls:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{done} of {calls} calls in {LONGEST_LOAD_SECONDS} s")
            done += wrk(engine.url("echo"), 16, 3).requests
            memory.append((done, rss(engine.pid) / MEBIBYTE))
        return memory


def main() -> None:
    options = arguments(__doc__, runs=(5, 2), calls=(1_000_000, 100_000))
    start(10)  # The files it lays out and reads are in the page cache from here on.
    starts = [start(10) for _ in range(options.runs)]
    seconds = [run[0] for run in starts]
    memory = [run[1] for run in starts]
    growth = load(options.calls)
    result = Result(
        "footprint",
        "The engine alone",
        f"`./easyfaas up` with its default of 10 slots; start: median of {options.runs}; files in "
        "the page cache",
    )

    def row(what: str, samples: list[float], unit: str, bound: float) -> Figure:
        median, low, high = stats.spread(samples)
        return Figure(what, median, unit, Aim(bound, True), low=low, high=high)

    result.figures = [
        row("ready after exec", seconds, "s", 0.7),
        row("resident after start", memory, "MiB", 64),
        row(f"resident after {growth[-1][0]:,} calls", [growth[-1][1]], "MiB", 96),
    ]
    title = "Resident memory of the engine under load"
    result.line("footprint-memory", title, "MiB", "calls", {"EasyFaaS": growth})
    result.raw = {"seconds_to_ready": seconds, "mebibytes": memory, "under_load": growth}
    result.save(options.quick)


if __name__ == "__main__":
    main()
