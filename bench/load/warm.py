#!/usr/bin/env python3
"""Warm throughput and latency of a Node.js echo handler, next to the same handler on bare node:http.

Usage (as root): bench/load/warm.py [--runs 5] [--seconds 8] [--connections 1 16 64]

Starts an engine of its own and the peer, both on loopback; for every number of connections the two
are loaded in turn, so that a noisy machine is noisy for both. Writes bench/results/<date>-<commit>-warm.md
with the machine, the command and every run. The machine should do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import io
import json
import os
import pathlib
import platform
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ACCOUNT = "df391b08c64c426a81645468c75163a5"
WARM_UP_SECONDS = 5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return  # It answers; which status does not matter here.
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def deploy(registry: int) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.write(HERE / "echo.js", "echo.js")
    document = {
        "Runtime": "nodejs",
        "Handler": "echo.handler",
        "PodConcurrentQuota": 100,
        "Code": base64.b64encode(code.getvalue()).decode(),
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{registry}/v1/functions/echo",
        json.dumps(document).encode(),
        {"X-easyfaas-Account-Id": ACCOUNT},
    )
    urllib.request.urlopen(request, timeout=10).close()


def wrk(url: str, connections: int, seconds: int) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "post.lua"), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    raw = json.loads(output.strip().splitlines()[-1])
    if raw["failed"]:
        sys.exit(f"{raw['failed']} failed requests: {shlex.join(command)}")
    return {
        "rate": raw["requests"] / (raw["micros"] / 1e6),
        "p50": raw["p50"] / 1000,
        "p99": raw["p99"] / 1000,
    }


def table(results: dict[int, dict[str, list[dict[str, float]]]]) -> str:
    lines = [
        "| connections | system | requests/s, median (low–high) | × node:http | p50 ms | p99 ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for connections, systems in results.items():
        base = statistics.median(run["rate"] for run in systems["node:http"])
        for name, runs in systems.items():
            rates = [run["rate"] for run in runs]
            median = statistics.median(rates)
            p50 = statistics.median(run["p50"] for run in runs)
            p99 = statistics.median(run["p99"] for run in runs)
            lines.append(
                f"| {connections} | {name} | {median:,.0f} ({min(rates):,.0f}–{max(rates):,.0f}) "
                f"| {median / base:.2f} | {p50:.2f} | {p99:.2f} |"
            )
    return "\n".join(lines)


def report(results: dict[int, dict[str, list[dict[str, float]]]]) -> pathlib.Path:
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    today = datetime.date.today().isoformat()
    path = ROOT / "bench" / "results" / f"{today}-{commit}-warm.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"# Warm calls of a Node.js echo handler\n\n"
        f"- machine: {os.cpu_count()} × {cpu}, Linux {platform.release()}, Node.js {node}; "
        f"load generator, engine and runner share it\n"
        f"- commit: {commit}\n- command: `bench/load/{pathlib.Path(sys.argv[0]).name} "
        f"{shlex.join(sys.argv[1:])}`\n- one sandbox, PodConcurrentQuota 100, 100-byte JSON event, "
        f"runs alternate\n\n{table(results)}\n\n## Every run\n\n```json\n"
        f"{json.dumps(results, indent=1)}\n```\n"
    )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    options = parser.parse_args()

    controller, registry, trigger, bare = (free_port() for _ in range(4))
    with tempfile.TemporaryDirectory(prefix="easyfaas-bench-") as scratch:
        processes = [
            subprocess.Popen(
                [
                    str(ROOT / "easyfaas"), "up",
                    f"--port={controller}", f"--registry-port={registry}", f"--trigger-port={trigger}",
                    f"--data-dir={scratch}/data", f"--run-dir={scratch}/run", "--container-num=1",
                ],
                stderr=subprocess.DEVNULL,
            ),
            subprocess.Popen(["node", str(HERE / "bare.js"), str(bare)]),
        ]
        try:
            urls = {
                "node:http": f"http://127.0.0.1:{bare}/",
                "EasyFaaS": f"http://127.0.0.1:{controller}/v1/functions/echo/invocations"
                "?Qualifier=$LATEST",
            }
            wait_for(f"http://127.0.0.1:{controller}/healthz")
            deploy(registry)
            results: dict[int, dict[str, list[dict[str, float]]]] = {}
            for url in urls.values():
                wrk(url, 16, WARM_UP_SECONDS)
            for connections in options.connections:
                results[connections] = {name: [] for name in urls}
                for _ in range(options.runs):
                    for name, url in urls.items():
                        results[connections][name].append(wrk(url, connections, options.seconds))
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)
    print(table(results))
    print(f"\nwritten to {report(results)}")


if __name__ == "__main__":
    main()
