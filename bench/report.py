#!/usr/bin/env python3
"""Writes docs/performance.md and its plots from the newest result of every theme.

Measures nothing. What a theme's figures cannot say, where the time goes and what was tried, is
taken from bench/notes/<theme>.md.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from load import svg
from load.results import RESULTS, figures_table, shortfall
from load.system import BENCH, ROOT

THEMES = ("warm", "cost", "cold", "sandbox", "idle", "footprint", "burst", "scheduling")
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
NOTES = BENCH / "notes"

HEAD = """# Performance

Written by `./dev bench`; do not edit. [bench/README.md](../bench/README.md) tells how to run it and what a figure means.
Every figure was measured next to what it is measured against, in the same run and alternating with it,
and is a median unless it says otherwise; “low – high” are the lowest and the highest run. “ratio” is reached
divided by there. The load generator, the peers and the engine share the machine.
"""


def newest(theme: str) -> dict[str, Any] | None:
    """By date, then by when it was written; a quick result only when there is no other."""
    found = []
    for file in RESULTS.glob(f"*-{theme}*.json"):
        result = json.loads(file.read_text())
        if result["theme"] == theme:
            key = (not result["quick"], result["date"], file.stat().st_mtime)
            found.append((key, file.stem, result))
    if not found:
        return None
    _, stem, result = max(found, key=lambda entry: entry[0])
    return {**result, "stem": stem}


def section(result: dict[str, Any]) -> str:
    parts = [f"## {result['title']}"]
    if result["quick"]:
        parts.append("**From a quick run: not to be quoted.**")
    parts.append(f"{result['method'][0].upper()}{result['method'][1:]}.")
    parts.append(figures_table(result["figures"]))
    for plot in result["plots"]:
        (PLOTS / f"{plot['name']}.svg").write_text(svg.draw(plot))
        parts.append(f"![{plot['title']}](performance/{plot['name']}.svg)")
    notes = NOTES / f"{result['theme']}.md"
    if notes.exists():
        parts.append(notes.read_text().strip())
    raw = f"../bench/results/{result['stem']}"
    parts.append(
        f"Commit {result['commit']}, {result['date']}, `{result['command']}` on "
        f"{result['machine']}. [Every sample]({raw}.json)."
    )
    return "\n\n".join(parts)


def summary(results: list[dict[str, Any]]) -> str:
    """How many aims are met, and those that are not."""
    judged = [
        (result, figure)
        for result in results
        for figure in result["figures"]
        if figure["met"] is not None
    ]
    missed = [(result, figure) for result, figure in judged if not figure["met"]]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} aims are met."]
    if missed:
        lines[0] += " Missed:\n"
    for result, figure in missed:
        against = f" against {figure['peer']}" if figure["peer"] else ""
        what = f"{result['title']}: {figure['what']}{against}"
        lines.append(f"- {what}, {figure['aim_text']}, {shortfall(figure)}")
    return "\n".join(lines)


def main() -> None:
    results = [found for found in map(newest, THEMES) if found is not None]
    if not results:
        sys.exit(f"no results in {RESULTS}. Hint: run `./dev bench`")
    PLOTS.mkdir(parents=True, exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    parts = [HEAD.strip(), summary(results), *map(section, results)]
    PAGE.write_text("\n\n".join(parts) + "\n")
    print(f"written to {PAGE}")
    for result in results:
        missed = [figure["what"] for figure in result["figures"] if figure["met"] is False]
        if missed and not (NOTES / f"{result['theme']}.md").exists():
            file = f"bench/notes/{result['theme']}.md"
            print(f"{file} is missing, to explain: {', '.join(missed)}", file=sys.stderr)


if __name__ == "__main__":
    main()
