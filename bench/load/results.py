"""What a theme found: figures against their aims, tables, plots, and every single sample.

Kept as JSON for the report and as Markdown for a reader, both in bench/results.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pathlib
import shlex
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from .system import BENCH, commit, machine

RESULTS = BENCH / "results"
Lines = dict[str, list[tuple[int, float]]]
Groups = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Aim:
    """A bound that a figure, or its ratio to the peer's, is to keep."""

    bound: float
    at_most: bool = False
    ratio: bool = False

    def text(self, unit: str) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {number(self.bound)} {'×' if self.ratio else unit}".rstrip()

    def is_met(self, reached: float) -> bool:
        return reached <= self.bound if self.at_most else reached >= self.bound


@dataclass
class Figure:
    """One row of the report.

    `ratio` is reached / peer for every unit; whether more is better is the aim's business.
    """

    what: str
    reached: float
    unit: str
    aim: Aim | None = None
    peer: str = ""
    peer_value: float | None = None
    low: float | None = None
    high: float | None = None
    aim_text: str = field(init=False, default="")
    met: bool | None = field(init=False, default=None)
    ratio: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.peer_value:
            self.ratio = self.reached / self.peer_value
        if self.aim is not None:
            self.aim_text = self.aim.text(self.unit)
            judged = self.ratio if self.aim.ratio else self.reached
            assert judged is not None, f"{self.what}: a ratio needs a peer"
            self.met = self.aim.is_met(judged)


@dataclass
class Result:
    """Everything of one theme's run."""

    theme: str
    title: str
    method: str
    figures: list[Figure] = field(default_factory=list)
    plots: list[dict[str, Any]] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def bars(self, name: str, title: str, unit: str, groups: Groups) -> None:
        """A plot of grouped bars: group → series → [median, low, high]."""
        self.plot("bars", name, title, unit=unit, groups=groups)

    def distribution(
        self, name: str, title: str, unit: str, series: dict[str, list[float]]
    ) -> None:
        """A plot of what share of the samples is below a value."""
        self.plot("distribution", name, title, unit=unit, series=series)

    def line(
        self, name: str, title: str, unit: str, x_unit: str, series: Lines
    ) -> None:
        """A plot of points (x, y) joined by lines."""
        self.plot("line", name, title, unit=unit, x_unit=x_unit, series=series)

    def flames(self, name: str, title: str, stacks: dict[str, int]) -> None:
        """A flame graph: `frame;frame;frame`, outermost first → samples."""
        self.plot("flames", name, title, stacks=stacks)

    def plot(self, kind: str, name: str, title: str, **content: Any) -> None:
        """Keeps a plot for the report, which draws it as `<name>.svg`."""
        self.plots.append({"kind": kind, "name": name, "title": title, **content})

    def save(self, quick: bool) -> pathlib.Path:
        """Writes both files and prints the figures."""
        RESULTS.mkdir(exist_ok=True)
        facts = {
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
            "machine": machine(),
            "command": shlex.join([f"bench/{pathlib.Path(sys.argv[0]).name}", *sys.argv[1:]]),
            "quick": quick,
        }
        stem = f"{facts['date']}-{facts['commit']}-{self.theme}" + ("-quick" if quick else "")
        text = json.dumps({**asdict(self), **facts}, ensure_ascii=False, separators=(",", ":"))
        (RESULTS / f"{stem}.json").write_text(text + "\n")
        path = RESULTS / f"{stem}.md"
        table = figures_table([asdict(figure) for figure in self.figures])
        path.write_text(
            f"# {self.title}\n\n- machine: {facts['machine']}\n- commit: {facts['commit']}\n"
            f"- command: `{facts['command']}`\n- {self.method}\n\n{table}\n\n"
            f"Every sample: [{stem}.json]({stem}.json)\n"
        )
        print(f"{self.title}\n\n{table}\n\nwritten to {path}\n", flush=True)
        return path


def number(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.4f}"


def figures_table(figures: list[dict[str, Any]]) -> str:
    """Markdown; figures as they are in the JSON."""
    lines = [
        "| what | reached | low – high | measured against | there | ratio | aim | |",
        "| --- | --: | --: | --- | --: | --: | --- | --- |",
    ]
    for figure in figures:
        unit = f" {figure['unit']}".rstrip()
        low, high = figure["low"], figure["high"]
        between = "" if low == high else f"{number(low)} – {number(high)}"
        there = "" if figure["peer_value"] is None else number(figure["peer_value"]) + unit
        ratio = "" if figure["ratio"] is None else f"{figure['ratio']:.2f} ×"
        verdict = ""
        if figure["met"] is not None:
            verdict = "met" if figure["met"] else f"missed {shortfall(figure)}"
        cells = (
            figure["what"], number(figure["reached"]) + unit, between,
            figure["peer"], there, ratio, figure["aim_text"], verdict,
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shortfall(figure: dict[str, Any]) -> str:
    """By how much an aim was missed, in percent of the bound."""
    aim = figure["aim"]
    judged = figure["ratio"] if aim["ratio"] else figure["reached"]
    if aim["bound"] == 0:
        return f"by {number(judged)}"
    return f"by {abs(judged - aim['bound']) / aim['bound'] * 100:.0f} %"


def arguments(document: str | None, **defaults: tuple[int, int]) -> argparse.Namespace:
    """Command line of a theme: `--quick`, and one flag a count: name = (normal, quick)."""
    parser = argparse.ArgumentParser(description=(document or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="few and short runs, to develop with; never quoted"
    )
    for name, (normal, quick) in defaults.items():
        parser.add_argument(f"--{name}", type=int, help=f"default: {normal}, --quick: {quick}")
    options = parser.parse_args()
    for name, (normal, quick) in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else normal)
    return options
