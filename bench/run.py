#!/usr/bin/env python3
"""Runs the bench: all themes or those that are named, then writes the report.

Usage (as root): ./dev bench [--quick] [THEME…]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import report
from load.system import BENCH


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="a few minutes, to develop with")
    parser.add_argument("theme", nargs="*", help=f"{', '.join(report.THEMES)}; all if none")
    options = parser.parse_args()
    unknown = set(options.theme) - set(report.THEMES)
    if unknown:
        parser.error(f"theme: {', '.join(unknown)} (expected: {', '.join(report.THEMES)})")
    failed = []
    for theme in options.theme or report.THEMES:
        start = time.monotonic()
        print(f"== {theme}", flush=True)
        command = [sys.executable, str(BENCH / f"{theme}.py")]
        if options.quick:
            command.append("--quick")
        if subprocess.run(command).returncode != 0:
            failed.append(theme)
        print(f"== {theme}: {time.monotonic() - start:.0f} s", flush=True)
    report.main()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
