#!/usr/bin/env python3
"""A burst: 200 first calls to 20 functions at once, none of them called before.

The connections are there already; then every request is sent in one go. Functions take 10 calls a
sandbox, so 20 sandboxes do. Latency is from sending to the whole answer. Run as root.
"""

from __future__ import annotations

import asyncio
import time

from load import stats
from load.engine import HEADERS, Engine
from load.results import Aim, Figure, Result, arguments
from load.system import HANDLERS

CALLS = 200
FUNCTIONS = 20
CONCURRENCY = 10
SLOTS = 40
TIMEOUT_SECONDS = 60
LANGUAGES = {"Node": ("nodejs", "hello.js"), "Python": ("python3", "hello.py")}


async def burst(engine: Engine) -> tuple[list[float], int]:
    """Milliseconds of every call, and how many failed."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    connections = [await asyncio.open_connection("127.0.0.1", engine.port) for _ in range(CALLS)]

    async def call(number: int) -> tuple[float, bool]:
        reader, writer = connections[number]
        path = engine.path(f"f{number % FUNCTIONS}")
        start = time.perf_counter()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 2\r\n\r\n"
        writer.write(f"{head}{{}}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        seconds = time.perf_counter() - start
        writer.close()
        return seconds, head.startswith("http/1.1 200") and "function-error" not in head

    answers = await asyncio.wait_for(asyncio.gather(*map(call, range(CALLS))), TIMEOUT_SECONDS)
    return [seconds * 1000 for seconds, _ in answers], sum(not good for _, good in answers)


def run(language: str) -> tuple[list[float], int, int]:
    """Milliseconds, failed calls, sandboxes that hold a function afterwards."""
    runtime, source = LANGUAGES[language]
    with Engine("--max-queue-wait=30s", slots=SLOTS) as engine:
        engine.deploy("warm-up", HANDLERS / source, runtime)
        for _ in range(20):  # The engine's own code is warm, as in one that is in use.
            engine.call("warm-up")
        for slot in engine.slots():
            if slot["State"] == "warm":
                engine.invalidate(str(slot["RuntimeID"]))
        engine.wait_for_states({"warm": 0, "stopping": 0, "prewarming": 0})
        for number in range(FUNCTIONS):
            engine.deploy(f"f{number}", HANDLERS / source, runtime, concurrency=CONCURRENCY)
        latencies, failed = asyncio.run(burst(engine))
        used = sum(engine.states()[state] for state in ("warm", "frozen"))
        return latencies, failed, used


def main() -> None:
    options = arguments(__doc__, runs=(5, 1))
    result = Result(
        "burst",
        "A burst of first calls",
        f"{CALLS} calls to {FUNCTIONS} functions at once; median of {options.runs} bursts, each on "
        "an engine of its own with at most two runners standing by",
    )
    shown = {}
    for language in LANGUAGES:
        runs = [run(language) for _ in range(options.runs)]
        for percent, aim in ((50, None), (99, Aim(1000, True))):
            values = [stats.percentile(latencies, percent) for latencies, _, _ in runs]
            median, low, high = stats.spread(values)
            what = f"{language}, p{percent}"
            result.figures.append(Figure(what, median, "ms", aim, low=low, high=high))
        worst_failed = float(max(failed for _, failed, _ in runs))
        most_used = float(max(used for _, _, used in runs))
        result.figures += [
            Figure(f"{language}, failed calls, worst burst", worst_failed, "", Aim(0, True)),
            Figure(f"{language}, sandboxes used, most", most_used, "", Aim(CALLS, True)),
        ]
        shown[language] = [latency for latencies, _, _ in runs for latency in latencies]
        result.raw[language] = [
            {"milliseconds": latencies, "failed": failed, "sandboxes": used}
            for latencies, failed, used in runs
        ]
    title = f"{CALLS} first calls to {FUNCTIONS} functions at once"
    result.distribution("burst", title, "ms", shown)
    result.save(options.quick)


if __name__ == "__main__":
    main()
