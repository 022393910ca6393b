#!/usr/bin/env python3
"""Warm calls: throughput and latency of an echo handler, next to the same without a platform.

The event is a JSON object of 100 bytes; one sandbox, PodConcurrentQuota 100. All servers run the
whole time on loopback, and for every number of connections they are loaded in turn, so that a noisy
machine is noisy for all. wrk, server and runner share the machine. Run as root.
"""

from __future__ import annotations

from contextlib import ExitStack

from load import peers, stats
from load.engine import Engine
from load.results import Aim, Figure, Result, arguments
from load.system import HANDLERS
from load.wrk import Load, wrk

OURS = "EasyFaaS"
WARM_UP_SECONDS = 5
CONNECTIONS = (1, 16, 64)
Runs = dict[int, dict[str, list[Load]]]


def measure(urls: dict[str, str], runs: int, seconds: int, warm_up: int) -> Runs:
    for url in urls.values():
        wrk(url, 16, warm_up)
    measured: Runs = {c: {name: [] for name in urls} for c in CONNECTIONS}
    for connections, systems in measured.items():
        for _ in range(runs):
            for name, url in urls.items():
                systems[name].append(wrk(url, connections, seconds))
    return measured


def rate(what: str, systems: dict[str, list[Load]], peer: str, aim: Aim | None) -> Figure:
    median, low, high = stats.spread([run.rate for run in systems[OURS]])
    there = stats.median(run.rate for run in systems[peer])
    return Figure(what, median, "/s", aim, peer, there, low, high)


def latency(
    what: str, systems: dict[str, list[Load]], peer: str, field: str, aim: Aim | None
) -> Figure:
    median, low, high = stats.spread([getattr(run, field) for run in systems[OURS]])
    there = stats.median(getattr(run, field) for run in systems[peer])
    return Figure(what, median, "ms", aim, peer, there, low, high)


def node(runs: Runs) -> list[Figure]:
    return [
        rate("Node, 16 connections", runs[16], "node:http", Aim(2.5, ratio=True)),
        rate("Node, 64 connections", runs[64], "node:http", Aim(2.5, ratio=True)),
        latency("Node, p50 at 1 connection", runs[1], "node:http", "p50", Aim(1.3, True, True)),
        latency("Node, p99 at 16 connections", runs[16], "node:http", "p99", Aim(1, True, True)),
        rate("Node, 16 connections", runs[16], "workerd", Aim(3, ratio=True)),
        rate("Node, 64 connections", runs[64], "workerd", Aim(3, ratio=True)),
        rate("Node, 16 connections", runs[16], "bare Netty", Aim(0.5, ratio=True)),
        rate("Node, 64 connections", runs[64], "bare Netty", Aim(0.5, ratio=True)),
        rate("Node, 16 connections", runs[16], "deno", None),
        rate("Node, 64 connections", runs[64], "deno", None),
    ]


def python(runs: Runs) -> list[Figure]:
    return [
        rate("Python, 1 connection", runs[1], "http.server", None),
        rate("Python, 16 connections", runs[16], "http.server", Aim(2, ratio=True)),
        rate("Python, 64 connections", runs[64], "http.server", Aim(2, ratio=True)),
        latency("Python, p99 at 16 connections", runs[16], "http.server", "p99", None),
    ]


def plot(result: Result, language: str, runs: Runs) -> None:
    def groups(field: str) -> dict[str, dict[str, list[float]]]:
        return {
            f"{connections} connection{'s' if connections > 1 else ''}": {
                name: stats.spread([getattr(run, field) for run in loads])
                for name, loads in systems.items()
            }
            for connections, systems in runs.items()
        }

    key = language.lower()
    result.bars(f"warm-{key}-rate", f"Warm calls a second, {language}", "/s", groups("rate"))
    result.bars(f"warm-{key}-p50", f"Warm calls, {language}: median latency", "ms", groups("p50"))
    result.bars(f"warm-{key}-p99", f"Warm calls, {language}: 99th percentile", "ms", groups("p99"))


def main() -> None:
    options = arguments(__doc__, runs=(5, 1), seconds=(3, 1))
    result = Result(
        "warm",
        "Warm calls of an echo handler",
        "a JSON event of 100 bytes, one sandbox, PodConcurrentQuota 100; median of "
        f"{options.runs} runs of {options.seconds} s each, all systems in turn",
    )
    node_peers = [peers.node_http, peers.workerd, peers.deno, peers.netty]
    languages = (
        ("Node", "nodejs", "echo.js", node_peers, node),
        ("Python", "python3", "echo.py", [peers.python_http], python),
    )
    for language, runtime, source, others, figures in languages:
        with ExitStack() as stack:
            engine = stack.enter_context(Engine("--max-prewarmed=0"))
            engine.deploy("echo", HANDLERS / source, runtime, concurrency=100)
            engine.call("echo")
            urls = {OURS: engine.url("echo")}
            for start in others:
                peer = stack.enter_context(start())
                urls[peer.name] = peer.url
            warm_up = 1 if options.quick else WARM_UP_SECONDS
            runs = measure(urls, options.runs, options.seconds, warm_up)
        result.figures += figures(runs)
        plot(result, language, runs)
        result.raw[language] = {
            connections: {name: [vars(run) for run in loads] for name, loads in systems.items()}
            for connections, systems in runs.items()
        }
    result.save(options.quick)


if __name__ == "__main__":
    main()
