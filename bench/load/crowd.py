"""Many small functions, each called once, so that each has a sandbox of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from .engine import Engine
from .system import HANDLERS

AT_ONCE = 4


def fill(engine: Engine, functions: int, concurrency: int = 1) -> list[str]:
    """Deploys and warms up Python functions. Returns their names."""
    names = [f"f{number}" for number in range(functions)]

    def start(name: str) -> None:
        engine.deploy(name, HANDLERS / "echo.py", "python3", concurrency=concurrency)
        engine.call(name)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(start, names):
            pass
    return names
