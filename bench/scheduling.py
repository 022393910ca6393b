#!/usr/bin/env python3
"""Scheduling: what it costs a call with 1,000 slots and 500 functions, against 10 and 5.

JMH on the real slot pool with runners that do nothing: permit taken and given back, functions in
random order. So that only the choice is measured: with 500 real runners the processor's caches and
the kernel's 500 sockets would be in the figure too. That figure stands beside it: processor time of
a whole engine's event loops under load, calls going round its functions (needs about 8 GiB and a
minute; `--whole 0` leaves it out). Run as root.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile

from load import stats
from load.crowd import fill
from load.engine import Engine
from load.java import command
from load.results import Aim, Figure, Result, arguments
from load.system import cpu_of_threads
from load.wrk import wrk

SIZES = (10, 1000)


def pool(forks: int, iterations: int) -> dict[int, dict[str, list[float]]]:
    """By number of slots: nanoseconds a call of every fork, and bytes allocated a call.

    JMH runs the sizes one after the other, so a fork of each in turn.
    """
    found: dict[int, dict[str, list[float]]] = {size: {"ns": [], "bytes": []} for size in SIZES}
    for _ in range(forks):
        for size in SIZES:
            with tempfile.NamedTemporaryFile(prefix="easyfaas-bench-", suffix=".json") as file:
                jmh = command(
                    "org.openjdk.jmh.Main", "PoolBench", "-p", f"slots={size}", "-f", "1",
                    "-wi", str(iterations), "-i", str(iterations), "-w", "1", "-r", "1",
                    "-prof", "gc", "-rf", "json", "-rff", file.name,
                )  # fmt: skip
                subprocess.run(jmh, check=True, capture_output=True)
                benchmark = json.loads(pathlib.Path(file.name).read_text())[0]
            found[size]["ns"].append(benchmark["primaryMetric"]["score"])
            allocated = benchmark["secondaryMetrics"]["gc.alloc.rate.norm"]["score"]
            found[size]["bytes"].append(allocated)
    return found


def engine_cost(size: int, runs: int, seconds: int) -> list[float]:
    """Microseconds of the engine's event loops a call."""
    flags = (f"--total-memory={size * 160 + 512}MiB", "--max-runtime-idle=1h", "--freeze-after=0s")
    with Engine(*flags, "--max-prewarmed=0", slots=size) as engine:
        names = fill(engine, size // 2, concurrency=100)
        paths = [engine.path(name) for name in names]
        wrk(engine.url(names[0]), 16, seconds, *paths)
        costs = []
        for _ in range(runs):
            before = cpu_of_threads(engine.pid)
            calls = wrk(engine.url(names[0]), 16, seconds, *paths).requests
            after = cpu_of_threads(engine.pid)
            costs.append(
                sum(
                    spent - before.get(thread, 0.0)
                    for thread, spent in after.items()
                    if thread.startswith("loop")
                )
                * 1e6
                / calls
            )
        return costs


def main() -> None:
    options = arguments(__doc__, forks=(5, 1), iterations=(3, 1), whole=(1, 0))
    few, many = SIZES
    measured = pool(options.forks, options.iterations)
    result = Result(
        "scheduling",
        "Scheduling with many slots",
        f"JMH, median of {options.forks} forks of each size in turn; half of the slots hold a "
        "function",
        raw={"pool": measured},
    )
    median, low, high = stats.spread(measured[many]["ns"])
    there = stats.median(measured[few]["ns"])
    names = (f"{many:,} slots, {many // 2} functions", f"{few} slots, {few // 2} functions")
    result.figures = [
        Figure(
            f"scheduling a call, {names[0]}",
            median,
            "ns",
            Aim(1.1, at_most=True, ratio=True),
            names[1],
            there,
            low,
            high,
        ),
        Figure(f"allocated for it, {names[0]}", stats.median(measured[many]["bytes"]), "B"),
    ]
    if options.whole:
        runs, seconds = (1, 2) if options.quick else (5, 3)
        costs = {size: engine_cost(size, runs, seconds) for size in SIZES}
        result.raw["engine"] = costs
        median, low, high = stats.spread(costs[many])
        result.figures.append(
            Figure(f"event loop a call, {names[0]}", median, "µs", None, names[1],
                   stats.median(costs[few]), low, high)
        )  # fmt: skip
    result.bars(
        "scheduling",
        "Scheduling a warm call",
        "ns",
        {
            name: {"": stats.spread(measured[size]["ns"])}
            for name, size in zip(reversed(names), SIZES, strict=True)
        },
    )
    result.save(options.quick)


if __name__ == "__main__":
    main()
