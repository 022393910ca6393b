#!/usr/bin/env python3
"""Cold starts: the first call of a function, next to the start of the bare interpreter.

Timed from the request's first byte to the answer's.

Every call goes to a function that was never called before. `prewarmed`: a started runner stands
by. `not prewarmed`: there is the empty sandbox of a slot and nothing else. The peer: the
interpreter is started and prints one line. Calls and starts of all kinds alternate. Run as root.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack

from load import stats
from load.engine import Engine
from load.results import Aim, Figure, Result, arguments
from load.system import HANDLERS, NODE, PYTHON

LANGUAGES = {
    "Node": ("nodejs", "hello.js", [NODE, "-e", "console.log('hello')"]),
    "Python": ("python3", "hello.py", [PYTHON, "-c", "print('hello')"]),
}


def start_interpreter(command: list[str]) -> float:
    """Seconds from the start of a program to the first byte it prints."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        bufsize=0,
        env={"PATH": os.defpath},  # Variables slow some starts down; a sandbox has none of ours.
    )
    assert process.stdout is not None
    process.stdout.read(1)
    seconds = time.perf_counter() - start
    process.communicate(timeout=10)
    return seconds


class Arrangement:
    """An engine of one language, with a runner standing by or without, whose slots are used once."""

    def __init__(self, engine: Engine, language: str, prewarmed: bool) -> None:
        self.engine = engine
        self.runtime, self.source, _ = LANGUAGES[language]
        self.prewarmed = prewarmed
        self.called = 0

    def prepare(self) -> None:
        """Empties the slot of the last function, then waits until all is ready for the next."""
        for slot in self.engine.slots():
            if slot["State"] == "warm":
                self.engine.invalidate(str(slot["RuntimeID"]))
        self.engine.wait_for_states({"prewarmed": 1, "cold": 1} if self.prewarmed else {"cold": 2})

    def call(self) -> float:
        """Calls a function for the first time. Seconds to the answer's first byte."""
        name = f"f{self.called}"
        self.called += 1
        self.engine.deploy(name, HANDLERS / self.source, self.runtime)
        return self.engine.call(name)


def measure(language: str, samples: int) -> dict[str, list[float]]:
    """Milliseconds by kind of start."""
    command = LANGUAGES[language][2]
    with ExitStack() as stack:
        arrangements = {
            "prewarmed": Arrangement(
                stack.enter_context(Engine("--max-prewarmed=1", slots=2)), language, True
            ),
            "not prewarmed": Arrangement(
                stack.enter_context(Engine("--max-prewarmed=0", slots=2)), language, False
            ),
        }
        for arrangement in arrangements.values():
            for _ in range(10):  # The engine's own code is warm, as in one that is in use.
                arrangement.call()
                arrangement.prepare()
        measured: dict[str, list[float]] = {name: [] for name in arrangements}
        measured["interpreter alone"] = []
        for _ in range(samples):
            for name, arrangement in arrangements.items():
                arrangement.prepare()
                time.sleep(0.05)  # What the reset left to do is not the next start's burden.
                measured[name].append(arrangement.call() * 1000)
            measured["interpreter alone"].append(start_interpreter(command) * 1000)
    return measured


def figures(language: str, measured: dict[str, list[float]], aim: float) -> list[Figure]:
    alone = stats.median(measured["interpreter alone"])
    found = []
    for kind, bound in (
        ("prewarmed", Aim(aim, True, True)),
        ("not prewarmed", Aim(alone + 5, True)),
    ):
        samples = measured[kind]
        what = f"{language}, {kind}, "
        low, high = min(samples), max(samples)
        p50, p99 = stats.median(samples), stats.percentile(samples, 99)
        peer = (f"{LANGUAGES[language][0]} alone".replace("nodejs", "node"), alone)
        found.append(Figure(what + "p50", p50, "ms", bound, *peer, low, high))
        if kind == "prewarmed":
            found.append(Figure(what + "p50", p50, "ms", Aim(10, True), low=low, high=high))
            found.append(Figure(what + "p99", p99, "ms", Aim(25, True)))
        else:
            found.append(
                Figure(what + "p99", p99, "ms", None, peer[0] + ", p99",
                       stats.percentile(measured["interpreter alone"], 99))
            )  # fmt: skip
    return found


def main() -> None:
    options = arguments(__doc__, samples=(100, 12))
    result = Result(
        "cold",
        "First call of a function",
        f"first byte of the request to first byte of the answer, {options.samples} samples of each "
        "kind, all kinds in turn; low – high are the fastest and slowest sample",
    )
    for language, aim in (("Node", 0.12), ("Python", 0.7)):
        measured = measure(language, options.samples)
        result.figures += figures(language, measured, aim)
        result.distribution(
            f"cold-{language.lower()}", f"First call of a {language} function", "ms", measured
        )
        result.raw[language] = measured
    result.save(options.quick)


if __name__ == "__main__":
    main()
