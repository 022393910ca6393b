"""The JDK that the bench uses beside the engine's own runtime."""

from __future__ import annotations

import os
import pathlib

from .system import CACHE, DIST


def tool(name: str) -> str:
    """A program of the JDK; `./dev bench` sets JAVA_HOME."""
    home = os.environ.get("JAVA_HOME")
    if not home:
        raise RuntimeError("JAVA_HOME is not set. Hint: run it as `./dev bench THEME`")
    return str(pathlib.Path(home, "bin", name))


FLAGS = (
    "-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "-Xmx256m",
    "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
)  # fmt: skip


def command(main_class: str, *arguments: str) -> list[str]:
    """Runs a class of the bench's Java, which `./dev build` has built."""
    class_path = f"{CACHE}/classes:{CACHE}/lib/*"
    return [tool("java"), *FLAGS, "-cp", class_path, main_class, *arguments]


def engine_command() -> list[str]:
    """Runs the engine on the JDK."""
    return [tool("java"), *FLAGS, "-cp", f"{DIST}/lib/*", "io.easyfaas.cli.Main"]
