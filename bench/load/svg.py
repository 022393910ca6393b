"""Plots as SVG, written by hand: bars, distributions, lines and flame graphs.

Every function returns a whole document with a white ground, so that it is readable on any page.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 72, 28, 80, 48
INK, FAINT, GRID = "#1f2937", "#6b7280", "#e5e7eb"
OURS = "#1d4ed8"
COLOURS = ("#d97706", "#0f766e", "#9333ea", "#be123c", "#64748b", "#65a30d")
FONT = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\""


def text(
    x: float, y: float, words: str, size: int = 12, anchor: str = "start", fill: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">'
        f"{escape(words)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width}"/>'
    )


def document(title: str, parts: Iterable[str], width: int = WIDTH, height: int = HEIGHT) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title, quote=True)}" {FONT}>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        f"{text(16, 26, title, 16)}\n{body}\n</svg>\n"
    )


def colours(names: Sequence[str], ours: Sequence[str] = ("EasyFaaS",)) -> dict[str, str]:
    """The engine is always blue; the others get colours in their order."""
    others = iter(COLOURS * (len(names) // len(COLOURS) + 1))
    return {name: OURS if name in ours else next(others) for name in names}


def legend(names: Sequence[str], colour: dict[str, str]) -> list[str]:
    parts, x = [], float(LEFT)
    for name in names:
        box = f'<rect x="{x:.1f}" y="42" width="11" height="11" rx="2" fill="{colour[name]}"/>'
        parts.append(box)
        parts.append(text(x + 16, 52, name))
        x += 34 + 7.0 * len(name)
    return parts


def linear_ticks(highest: float) -> list[float]:
    """From 0 to at least the highest value, about five steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    raw = highest / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    return [step * i for i in range(math.ceil(highest / step * 0.999) + 1)]


def log_ticks(lowest: float, highest: float) -> list[float]:
    """1, 2 and 5 times powers of ten that enclose the values."""
    marks = [
        factor * 10.0**power
        for power in range(math.floor(math.log10(lowest)) - 1, math.ceil(math.log10(highest)) + 1)
        for factor in (1, 2, 5)
    ]
    first = max(i for i, mark in enumerate(marks) if mark <= lowest * 1.001)
    last = min(i for i, mark in enumerate(marks) if mark >= highest * 0.999)
    return marks[first : last + 1]


def short(value: float) -> str:
    """For axes and bars: 45k, 1.2M, 0.35."""
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    if value >= 10_000:
        return f"{value / 1e3:.3g}k"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def vertical_axis(ticks: Sequence[float], unit: str) -> list[str]:
    parts = [text(LEFT - 8, TOP - 12, unit, 11, "end", FAINT)]
    for tick in ticks:
        y = vertical(tick, ticks[-1])
        parts.append(line(LEFT, y, WIDTH - RIGHT, y))
        parts.append(text(LEFT - 8, y + 4, short(tick), 11, "end", FAINT))
    return parts


def vertical(value: float, highest: float) -> float:
    return HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM)


def bars(title: str, unit: str, groups: dict[str, dict[str, list[float]]]) -> str:
    """Grouped bars of medians; a thin line from the lowest to the highest run."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    colour = colours(names, ours=("EasyFaaS", ""))
    ticks = linear_ticks(max(high for group in groups.values() for _, _, high in group.values()))
    parts = vertical_axis(ticks, unit)
    if names != [""]:
        parts += legend(names, colour)
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    bar = min(56.0, room * 0.8 / len(names))
    for place, (label, group) in enumerate(groups.items()):
        centre = LEFT + room * (place + 0.5)
        x = centre - bar * len(group) / 2
        for name, (median, low, high) in group.items():
            y, base = vertical(median, ticks[-1]), vertical(0, ticks[-1])
            parts.append(
                f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{bar - 4:.1f}" height="{base - y:.1f}" '
                f'rx="2" fill="{colour[name]}"/>'
            )
            middle, above = x + bar / 2, y
            if high > low:
                above = vertical(high, ticks[-1])
                parts.append(line(middle, vertical(low, ticks[-1]), middle, above, INK, 1.2))
            parts.append(text(middle, above - 5, short(median), 11, "middle"))
            x += bar
        parts.append(text(centre, HEIGHT - BOTTOM + 20, label, 12, "middle"))
    parts.append(line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, FAINT))
    return document(title, parts)


def distribution(title: str, unit: str, series: dict[str, list[float]]) -> str:
    """What share of the samples is at most so large; the value axis is logarithmic."""
    values = [value for samples in series.values() for value in samples]
    marks = log_ticks(min(values), max(values))
    colour = colours(list(series), ours=("EasyFaaS", "prewarmed", "EasyFaaS, create", "Node"))
    parts = legend(list(series), colour)

    def horizontal(value: float) -> float:
        share = math.log(value / marks[0]) / math.log(marks[-1] / marks[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts += vertical_axis([0, 25, 50, 75, 100], "%")
    for mark in marks:
        x = horizontal(mark)
        parts.append(line(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(text(x, HEIGHT - BOTTOM + 18, short(mark), 11, "middle", FAINT))
    below = f"share of samples that took at most so many {unit} (logarithmic)"
    parts.append(text(WIDTH - RIGHT, HEIGHT - 8, below, 11, "end", FAINT))
    for name, samples in series.items():
        ordered = sorted(samples)
        path = [f"M{horizontal(ordered[0]):.1f} {vertical(0, 100):.1f}"]
        for rank, value in enumerate(ordered, 1):
            path.append(f"H{horizontal(value):.1f}V{vertical(rank / len(ordered) * 100, 100):.1f}")
        pen = f'fill="none" stroke="{colour[name]}" stroke-width="2"'
        parts.append(f'<path d="{"".join(path)}" {pen}/>')
    return document(title, parts)


def lines(title: str, unit: str, x_unit: str, series: dict[str, list[Sequence[float]]]) -> str:
    """Points joined by lines, both axes from 0."""
    points = [point for each in series.values() for point in each]
    across = linear_ticks(max(x for x, _ in points))
    up = linear_ticks(max(y for _, y in points))
    colour = colours(list(series))
    parts = legend(list(series), colour) + vertical_axis(up, unit)

    def horizontal(value: float) -> float:
        return LEFT + value / across[-1] * (WIDTH - LEFT - RIGHT)

    for tick in across:
        parts.append(text(horizontal(tick), HEIGHT - BOTTOM + 18, short(tick), 11, "middle", FAINT))
    parts.append(text(WIDTH - RIGHT, HEIGHT - 8, x_unit, 11, "end", FAINT))
    for name, each in series.items():
        path = " ".join(f"{horizontal(x):.1f},{vertical(y, up[-1]):.1f}" for x, y in each)
        pen = f'fill="none" stroke="{colour[name]}" stroke-width="2"'
        parts.append(f'<polyline points="{path}" {pen}/>')
    return document(title, parts)


FLAME_WIDTH, FLAME_ROW, FLAME_LEAST = 1200, 17, 0.004


def flames(title: str, stacks: dict[str, int]) -> str:
    """A flame graph, outermost frame at the bottom. Frames below 0.4 % are left out."""
    root: dict[str, Any] = {"samples": sum(stacks.values()), "below": {}}
    for stack, samples in stacks.items():
        node = root
        for frame in stack.split(";"):
            node = node["below"].setdefault(frame, {"samples": 0, "below": {}})
            node["samples"] += samples
    whole = max(1, root["samples"])
    boxes: list[tuple[int, float, float, str]] = []

    def lay(node: dict[str, Any], depth: int, start: float) -> None:
        for frame, child in sorted(node["below"].items()):
            share = child["samples"] / whole
            if share >= FLAME_LEAST:
                boxes.append((depth, start, share, frame))
                lay(child, depth + 1, start)
            start += share

    lay(root, 0, 0.0)
    depth = max((box[0] for box in boxes), default=0) + 1
    height = 60 + depth * FLAME_ROW
    parts = [text(FLAME_WIDTH - 16, 26, f"{root['samples']:,} samples", 12, "end", FAINT)]
    room = FLAME_WIDTH - 32
    for level, start, share, frame in boxes:
        x, y, width = 16 + start * room, height - 16 - (level + 1) * FLAME_ROW, share * room
        shade = zlib.crc32(frame.split(".")[0].encode())
        fill = f"hsl({20 + shade % 35} {70 + shade // 35 % 25}% {62 + shade // 875 % 14}%)"
        fits = int((width - 6) / 6.2)
        label = frame if len(frame) <= fits else frame[: fits - 1] + "…" if fits > 3 else ""
        parts.append(
            f'<g><title>{escape(frame)}: {share * 100:.1f} %</title><rect x="{x:.1f}" y="{y:.1f}" '
            f'width="{max(0.5, width - 0.6):.1f}" height="{FLAME_ROW - 1}" rx="1.5" fill="{fill}"/>'
            + (text(x + 3, y + 12, label, 10) if label else "")
            + "</g>"
        )
    return document(title, parts, FLAME_WIDTH, height)


def draw(plot: dict[str, Any]) -> str:
    """A plot as results keep it."""
    title = plot["title"]
    match plot["kind"]:
        case "bars":
            return bars(title, plot["unit"], plot["groups"])
        case "distribution":
            return distribution(title, plot["unit"], plot["series"])
        case "line":
            return lines(title, plot["unit"], plot["x_unit"], plot["series"])
        case "flames":
            return flames(title, plot["stacks"])
    raise ValueError(f"plot of kind {plot['kind']}")
