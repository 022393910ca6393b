#!/usr/bin/env python3
"""The engine's own cost of a warm call: processor time, allocation, what gets old, a profile.

A Node echo handler, 16 connections, one sandbox. Processor time is that of the engine's threads
(schedstat): the event loops, which carry the calls, and the JVM's own compiling and collecting;
runner and load generator are other processes. Allocation and what gets old are from the collector's
log of the same load. A second run with the flight recorder on gives the flame graph. Run as root.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
from typing import Any

from load import stats
from load.engine import Engine
from load.java import tool
from load.results import Aim, Figure, Result, arguments
from load.system import HANDLERS, cpu_of_threads
from load.wrk import wrk

CONNECTIONS = 16
SMALLEST_OBJECT = 8  # Bytes: when less gets old a call, no object of it does.
# DefNew: 3402K(3904K)->1K(3904K) Eden: 3401K(3520K)->0K(3520K) ...; Tenured: 9K(8192K)->9K(8192K)
YOUNG = re.compile(r"DefNew: (\d+)K\(\d+K\)->(\d+)K.*Eden: (\d+)K")
OLD = re.compile(r"Tenured: (\d+)K\(\d+K\)->(\d+)K")
JIT = re.compile(r"^C[12] CompilerThre|^Sweeper|^C1|^C2")
COLLECTOR = re.compile(r"^VM Thread|^GC|^VM Periodic")


def group(thread: str) -> str:
    if thread.startswith("loop"):
        return "event loop"
    if JIT.match(thread):
        return "compiler"
    if COLLECTOR.match(thread):
        return "collector"
    return "other threads"


def measure(runs: int, seconds: int, warm_up: int) -> dict[str, list[float]]:
    """Per call: microseconds by group of threads, bytes allocated, bytes that got old."""
    with tempfile.TemporaryDirectory(prefix="easyfaas-bench-") as scratch:
        log = pathlib.Path(scratch, "gc.log")
        with Engine(java_flags=f"-Xlog:gc+heap=info:file={log}::filecount=0") as engine:
            engine.deploy("echo", HANDLERS / "echo.js", "nodejs", concurrency=100)
            engine.call("echo")
            wrk(engine.url("echo"), CONNECTIONS, warm_up)
            found: dict[str, list[float]] = {}
            for _ in range(runs):
                seen = log.stat().st_size
                before = cpu_of_threads(engine.pid)
                calls = wrk(engine.url("echo"), CONNECTIONS, seconds).requests
                after = cpu_of_threads(engine.pid)
                one = dict.fromkeys(("event loop", "compiler", "collector", "other threads"), 0.0)
                for thread, spent in after.items():
                    one[group(thread)] += (spent - before.get(thread, 0.0)) * 1e6 / calls
                text = log.read_bytes()[seen:].decode()
                one["allocated"], one["survived"] = collected(text, calls)
                for key, value in one.items():
                    found.setdefault(key, []).append(value)
    return found


def collected(text: str, calls: int) -> tuple[float, float]:
    """Bytes allocated and bytes moved to the old generation, per call.

    Told at collections only: up to one young generation belongs to the calls before or after.
    """
    young = [tuple(map(int, match)) for match in YOUNG.findall(text)]
    old = [tuple(map(int, match)) for match in OLD.findall(text)]
    allocated = sum(eden for _, _, eden in young) * 1024
    survived = sum(max(0, after - before) for before, after in old) * 1024
    return allocated / calls, survived / calls


def profile(seconds: int, warm_up: int) -> dict[str, int]:
    """Stacks of the engine's event loops under load, one for every 2 ms of processor time."""
    with tempfile.TemporaryDirectory(prefix="easyfaas-bench-") as scratch:
        recording = pathlib.Path(scratch, "calls.jfr")
        settings = pathlib.Path(scratch, "calls.jfc")
        settings.write_text(
            '<configuration version="2.0"><event name="jdk.CPUTimeSample">'
            '<setting name="enabled">true</setting><setting name="throttle">2 ms</setting></event>'
            "</configuration>"
        )
        with Engine(profiled=True) as engine:
            engine.deploy("echo", HANDLERS / "echo.js", "nodejs", concurrency=100)
            engine.call("echo")
            wrk(engine.url("echo"), CONNECTIONS, warm_up)
            jcmd = tool("jcmd")
            subprocess.run(
                [jcmd, str(engine.pid), "JFR.start", "name=calls", f"settings={settings}"],
                check=True, capture_output=True,
            )  # fmt: skip
            wrk(engine.url("echo"), CONNECTIONS, seconds)
            subprocess.run(
                [jcmd, str(engine.pid), "JFR.stop", "name=calls", f"filename={recording}"],
                check=True, capture_output=True,
            )  # fmt: skip
        printed = subprocess.run(
            [
                tool("jfr"), "print", "--json", "--stack-depth", "64",
                "--events", "jdk.CPUTimeSample", str(recording),
            ],
            check=True, capture_output=True,
        ).stdout  # fmt: skip
    return folded(json.loads(printed)["recording"]["events"])


def folded(events: list[dict[str, Any]]) -> dict[str, int]:
    """`outermost;…;innermost` → samples, of the event loops."""
    stacks: dict[str, int] = {}
    for event in events:
        values = event["values"]
        thread = str((values.get("eventThread") or {}).get("javaName"))
        trace = values.get("stackTrace")
        if not thread.startswith("loop") or not trace:
            continue
        frames = []
        for frame in reversed(trace["frames"]):
            method = frame["method"]
            kind = str(method["type"]["name"]).replace("/", ".").rsplit(".", 1)[-1]
            frames.append(f"{kind}.{method['name']}")
        key = ";".join(frames)
        stacks[key] = stacks.get(key, 0) + 1
    return stacks


def main() -> None:
    options = arguments(__doc__, runs=(5, 1), seconds=(4, 2))
    warm_up = 2 if options.quick else 8
    found = measure(options.runs, options.seconds, warm_up)
    stacks = profile(2 * options.seconds, warm_up)
    groups = ("event loop", "compiler", "collector", "other threads")
    whole = [sum(parts) for parts in zip(*(found[name] for name in groups), strict=True)]

    def row(what: str, samples: list[float], unit: str, aim: Aim | None = None) -> Figure:
        return Figure(what, stats.median(samples), unit, aim, low=min(samples), high=max(samples))

    result = Result(
        "cost",
        "The engine's own cost of a warm call",
        f"{CONNECTIONS} connections, median of {options.runs} runs of {options.seconds} s; "
        "processor time of the engine's JVM, runner not counted",
        [
            row("processor time a call, whole JVM", whole, "µs", Aim(25, True)),
            *(row(f"of it, {name}", found[name], "µs") for name in groups),
            row("allocated a call", found["allocated"], "B"),
            row("got old a call", found["survived"], "B", Aim(SMALLEST_OBJECT, True)),
        ],
        raw=found,
    )
    result.flames("cost-flames", "Where the event loop spends a warm call", stacks)
    result.save(options.quick)


if __name__ == "__main__":
    main()
