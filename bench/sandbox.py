#!/usr/bin/env python3
"""Sandboxes: how long one takes to make and to make anew, next to bubblewrap and runc.

Ours is driven over the launcher's socket with the options funclet gives it: all namespaces, own
user range, read-only root, /proc, /dev, tmpfs, cgroup limits, seccomp at exec. `create` is answered
when pid 1 waits for work. A reset is destroy and create of a sandbox in which a program runs. The
peers make every namespace around the same root and run `true`; they are ready when it has ended.
For a like-for-like figure ours is also measured with `true` executed inside, until its end was
reported. All alternate. Run as root.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
from collections.abc import Callable

from load import stats
from load.launcher import Launcher
from load.results import Aim, Figure, Result, arguments

AT_ONCE = 8
TRUE = "/usr/bin/true"
SLEEP = ("/usr/bin/sleep", "600")
USE_SECONDS = 0.1  # A function is in use for longer, from its start to its reset.
Milliseconds = dict[str, list[float]]


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


class Ours:
    """Sandboxes of the launcher in slots that are open."""

    def __init__(self, launcher: Launcher, slots: int) -> None:
        self.launcher = launcher
        self.slots = [f"c{i}" for i in range(slots)]
        for slot in self.slots:
            launcher.open(slot)

    def create(self, *slots: str) -> None:
        for slot in slots:
            self.launcher.send(*self.launcher.create_command(slot))
        for _ in slots:
            self.launcher.receive()

    def destroy(self, *slots: str) -> None:
        for slot in slots:
            self.launcher.send("destroy", slot)
        for _ in slots:
            self.launcher.receive()

    def reset(self, *slots: str) -> None:
        """Both requests of a slot are sent at once; they are carried out in order."""
        for slot in slots:
            self.launcher.send("destroy", slot)
            self.launcher.send(*self.launcher.create_command(slot))
        for _ in range(2 * len(slots)):
            self.launcher.receive()

    def use(self, *slots: str) -> None:
        """Has a program run in each."""
        for slot in slots:
            self.launcher.send(*self.launcher.exec_command(slot, *SLEEP))
        for _ in slots:
            self.launcher.receive()
        time.sleep(USE_SECONDS)

    def run_true(self, slot: str) -> None:
        self.launcher.ask(*self.launcher.exec_command(slot, TRUE))
        while json.loads(self.launcher.lines.readline()).get("event") != "exited":
            pass

    def close(self) -> None:
        for slot in self.slots:
            self.launcher.ask("close", slot)


class Bubblewrap:
    """`bwrap --unshare-all`, the same root and mounts."""

    def __init__(self, launcher: Launcher) -> None:
        binds = [word for source, to in launcher.sources() for word in ("--ro-bind", source, to)]
        self.command = [
            "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", launcher.rootfs, "/",
            *binds, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", TRUE,
        ]  # fmt: skip

    def start(self, _: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command)


class Runc:
    """`runc run` of a bundle with the same root and mounts."""

    def __init__(self, launcher: Launcher) -> None:
        self.bundle = pathlib.Path(launcher.scratch, "bundle")
        self.bundle.mkdir()
        subprocess.run(["runc", "spec"], cwd=self.bundle, check=True)
        file = self.bundle / "config.json"
        config = json.loads(file.read_text())
        config["process"].update(terminal=False, args=[TRUE])
        config["root"] = {"path": launcher.rootfs, "readonly": True}
        config["linux"]["resources"].update(memory={"limit": 128 << 20}, pids={"limit": 256})
        for source, to in launcher.sources():
            options = ["rbind", "ro"]
            config["mounts"].append(
                {"destination": to, "type": "bind", "source": source, "options": options}
            )
        # The root has no /sys to mount one on, as ours has none.
        config["mounts"] = [
            mount for mount in config["mounts"] if not mount["destination"].startswith("/sys")
        ]
        file.write_text(json.dumps(config))
        self.root = f"{launcher.scratch}/runc"

    def start(self, number: int) -> subprocess.Popen[bytes]:
        name = f"easyfaas-bench-{number}"
        command = ["runc", "--root", self.root, "run", "--bundle", str(self.bundle), name]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)


Peers = dict[str, Bubblewrap | Runc]


def run_peer(peer: Bubblewrap | Runc, count: int) -> None:
    processes = [peer.start(number) for number in range(count)]
    for process in processes:
        if process.wait(timeout=60) != 0:
            raise RuntimeError(f"{type(peer).__name__} ended with {process.returncode}")


def sequential(ours: Ours, peers: Peers, samples: int) -> Milliseconds:
    slot = ours.slots[0]
    kinds = ("create", "create and run", "reset", "destroy", *peers)
    measured: Milliseconds = {kind: [] for kind in kinds}
    for i in range(samples):
        measured["create"].append(timed(lambda: ours.create(slot)))
        ours.use(slot)
        measured["reset"].append(timed(lambda: ours.reset(slot)))
        measured["destroy"].append(timed(lambda: ours.destroy(slot)))
        measured["create and run"].append(timed(lambda: (ours.create(slot), ours.run_true(slot))))
        ours.destroy(slot)
        measured["bwrap"].append(timed(lambda: run_peer(peers["bwrap"], 1)))
        if i % 4 == 0:  # It takes ten times as long as the others.
            measured["runc"].append(timed(lambda: run_peer(peers["runc"], 1)))
    return measured


def at_once(ours: Ours, peers: Peers, samples: int) -> Milliseconds:
    """Sandboxes a second."""
    measured: Milliseconds = {kind: [] for kind in ("create", "reset", *peers)}

    def rate(kind: str, action: Callable[[], object]) -> None:
        measured[kind].append(AT_ONCE * 1000 / timed(action))

    for i in range(samples):
        rate("create", lambda: ours.create(*ours.slots))
        ours.use(*ours.slots)
        rate("reset", lambda: ours.reset(*ours.slots))
        ours.destroy(*ours.slots)
        rate("bwrap", lambda: run_peer(peers["bwrap"], AT_ONCE))
        if i % 4 == 0:
            rate("runc", lambda: run_peer(peers["runc"], AT_ONCE))
    return measured


def figures(one: Milliseconds, eight: Milliseconds) -> list[Figure]:
    def p50(what: str, kind: str, aim: Aim | None) -> Figure:
        median, low, high = stats.spread(one[kind])
        return Figure(what, median, "ms", aim, low=low, high=high)

    def pace(what: str, kind: str, aim: Aim | None, peer: str) -> Figure:
        """Both a second, so that a ratio tells how many times as fast."""
        ours, there = (1000 / stats.median(one[name]) for name in (kind, peer))
        return Figure(what + ", one after another", ours, "/s", aim, peer, there)

    def rate(what: str, kind: str, aim: Aim | None, peer: str = "") -> Figure:
        median, low, high = stats.spread(eight[kind])
        there = stats.median(eight[peer]) if peer else None
        return Figure(what, median, "/s", aim, peer, there, low, high)

    return [
        p50("create → ready, p50", "create", Aim(2.5, True)),
        pace("create → ready", "create", Aim(2.5, ratio=True), "bwrap"),
        pace("create → ready", "create", Aim(15, ratio=True), "runc"),
        pace("create and run `true`", "create and run", None, "bwrap"),
        pace("create and run `true`", "create and run", None, "runc"),
        rate(f"create → ready, {AT_ONCE} at once", "create", Aim(300)),
        rate(f"create → ready, {AT_ONCE} at once", "create", Aim(2.5, ratio=True), "bwrap"),
        rate(f"create → ready, {AT_ONCE} at once", "create", Aim(15, ratio=True), "runc"),
        p50("reset of a sandbox in use, p50", "reset", Aim(1.5, True)),
        rate(f"reset of sandboxes in use, {AT_ONCE} at once", "reset", Aim(500)),
        p50("destroy, p50", "destroy", None),
    ]


def main() -> None:
    options = arguments(__doc__, samples=(200, 20))
    with Launcher() as launcher:
        ours = Ours(launcher, AT_ONCE)
        peers: Peers = {"bwrap": Bubblewrap(launcher), "runc": Runc(launcher)}
        sequential(ours, peers, 5)  # Programs and libraries are in the page cache from here on.
        one = sequential(ours, peers, options.samples)
        eight = at_once(ours, peers, options.samples // 2)
        ours.close()
    result = Result(
        "sandbox",
        "Sandboxes",
        f"median of {options.samples} samples, all kinds in turn; the peers are ready when `true` "
        "has ended in them",
        figures(one, eight),
        raw={"milliseconds": one, f"a second, {AT_ONCE} at once": eight},
    )
    shown = {"EasyFaaS, create": one["create"], "EasyFaaS, reset": one["reset"]}
    shown |= {peer: one[peer] for peer in peers}
    result.distribution("sandbox-time", "Making a sandbox, one after another", "ms", shown)
    rates = {kind: stats.spread(samples) for kind, samples in eight.items()}
    result.bars(
        "sandbox-rate",
        f"Sandboxes a second, {AT_ONCE} at once",
        "/s",
        {
            "create": {"EasyFaaS": rates["create"], **{peer: rates[peer] for peer in peers}},
            "reset": {"EasyFaaS": rates["reset"]},
        },
    )
    result.save(options.quick)


if __name__ == "__main__":
    main()
