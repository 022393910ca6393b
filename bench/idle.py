#!/usr/bin/env python3
"""Idle sandboxes: what a thousand of them cost in memory and in the engine's processor time.

First all slots are made and empty; then each gets a Python function that is called once and left
alone. Memory is how much less the machine has available than before the engine started, so that
pages that sandboxes share count once; the engine itself is in it. Run as root on a quiet machine.
"""

from __future__ import annotations

import time

from load.crowd import fill
from load.engine import Engine
from load.results import Aim, Figure, Result, arguments
from load.system import cpu_of, meminfo, rss

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
LIMIT = 4 * GIBIBYTE
SETTLE_SECONDS = 8  # Longer than --freeze-after.


def idle_cpu(engine: Engine, seconds: int) -> float:
    """Percent of one core."""
    before = cpu_of(engine.pid)
    time.sleep(seconds)
    return (cpu_of(engine.pid) - before) / seconds * 100


def main() -> None:
    options = arguments(__doc__, sandboxes=(1000, 60), seconds=(20, 5))
    count = options.sandboxes
    available = meminfo("MemAvailable")
    flags = (f"--total-memory={count * 160 + 512}MiB", "--max-runtime-idle=1h", "--max-prewarmed=0")

    def used() -> int:
        return available - meminfo("MemAvailable")

    with Engine(*flags, slots=count) as engine:
        made = engine.seconds_to_ready
        engine.wait_for_states({"cold": count}, 120)
        time.sleep(SETTLE_SECONDS)
        empty_memory, empty_rss = used(), rss(engine.pid)
        empty_cpu = idle_cpu(engine, options.seconds)
        start = time.monotonic()
        fill(engine, count)
        filling = time.monotonic() - start
        time.sleep(SETTLE_SECONDS)
        warm_memory, warm_rss = used(), rss(engine.pid)
        warm_cpu = idle_cpu(engine, options.seconds)
        states = engine.states()
    empty, warm = empty_memory / count, warm_memory / count
    result = Result(
        "idle",
        "Idle sandboxes",
        f"{count} slots, then {count} Python functions, one each; one run",
        [
            Figure("empty sandboxes that 4 GiB hold", LIMIT / empty, "", Aim(1000)),
            Figure("warm Python sandboxes that 4 GiB hold", LIMIT / warm, "", Aim(1000)),
            Figure("memory of an empty sandbox", empty / MEBIBYTE, "MiB"),
            Figure("memory of a warm Python sandbox", warm / MEBIBYTE, "MiB"),
            Figure(f"engine, {count} empty: processor", empty_cpu, "%", Aim(1, True)),
            Figure(f"engine, {count} warm: processor", warm_cpu, "%", Aim(1, True)),
            Figure(f"engine, {count} empty: resident", empty_rss / MEBIBYTE, "MiB"),
            Figure(f"engine, {count} warm: resident", warm_rss / MEBIBYTE, "MiB"),
            Figure(f"ready with {count} slots after", made, "s"),
            Figure("first calls a second while filling", count / filling, "/s"),
        ],
        raw={"states": states, "before": available, "empty": empty_memory, "warm": warm_memory},
    )
    result.bars(
        "idle-memory",
        "Memory of one idle sandbox, the engine's share included",
        "MiB",
        {
            "empty": {"": [empty / MEBIBYTE] * 3},
            "warm Python": {"": [warm / MEBIBYTE] * 3},
        },
    )
    result.save(options.quick)


if __name__ == "__main__":
    main()
