"""Requests a second, latency, start and memory of the generated service against other ways to serve the same model.

Each server has an environment of its own and one worker; all answer the same record with the same model, on loopback,
one after the other in turns, and are compared within this run alone. Kept in .cache/benchmarks: the environments, and
a repository rendered from this checkout and shipped. Bars that are missed are said, and are no error. "Waited" is the
share of the time that a server was ready to run and had no core: over one percent of it is in every p99 of wrk, so that
the p99 at one connection of (f), which does next to nothing, stands beside that of the service. "Core" is the time that
a server's threads ran for a request: it minds a busy machine less than requests a second do.
"""

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path

from bars import Medians, judged
from measure import memory, running, scheduled, tree, wrk
from project import WORDS, Project, shipped
from servers import SERVERS, Ready, agree, prepared

CONNECTIONS = (1, 16)
WARM_UP = 1.0  # seconds of load before the first figure is taken
FIGURES = {
    "rps_1": "requests/s, 1",
    "rps_16": "requests/s, 16",
    "p50_1": "p50 ms, 1",
    "p99_1": "p99 ms, 1",
    "waited_1": "waited %, 1",
    "p50_16": "p50 ms, 16",
    "p99_16": "p99 ms, 16",
    "core_16": "core us, 16",
    "start": "start s",
    "memory": "memory MB",
    "processes": "processes",
}
RATIOS = {name: title for name, title in FIGURES.items() if name not in ("waited_1", "processes")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    keys = ",".join(server.key for server in SERVERS)
    parser.add_argument("--data", choices=sorted(WORDS), default="penguins", help="the table of the model (penguins)")
    parser.add_argument("--only", default=keys, help=f"servers, by key, beside the generated one ({keys})")
    parser.add_argument("--seconds", type=float, default=5, help="of each load (5)")
    parser.add_argument("--repeats", type=int, default=3, help="turns; the median is shown (3)")
    parser.add_argument("--json", type=Path, help="write the figures of each turn to a file")
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")
    if unknown := {*asked.only.split(",")} - {*keys.split(",")}:
        parser.error(f"--only: no server {', '.join(sorted(unknown))}; there are {keys}")

    project = shipped(asked.data)
    chosen = [server for server in SERVERS if server.key in {"0", *asked.only.split(",")}]
    turns = measured([prepared(server, project) for server in chosen], project, asked.seconds, asked.repeats)
    if asked.json:
        asked.json.write_text(json.dumps(turns, indent=2) + "\n", encoding="utf-8")
    medians = {
        key: {name: statistics.median(turn[name] for turn in found) for name in FIGURES} for key, found in turns.items()
    }
    print("\n".join(report(medians, f"{asked.data}, {asked.seconds:g} s of load, median of {asked.repeats} turns")))


def measured(servers: list[Ready], project: Project, seconds: float, repeats: int) -> dict[str, list[dict[str, float]]]:
    """Check that all servers answer alike, then measure them in turns."""
    record = json.loads(project.record.read_text(encoding="utf-8"))
    checked(servers, record)
    turns: dict[str, list[dict[str, float]]] = {ready.server.key: [] for ready in servers}
    for turn in range(repeats):
        for ready in servers:
            print(f"turn {turn + 1} of {repeats}: {ready.server.name}", file=sys.stderr)
            turns[ready.server.key].append(one_turn(ready, record, seconds))
    return turns


def checked(servers: list[Ready], record: dict[str, object]) -> None:
    """Start each server once, which warms the disk's cache too, and stop if one answers otherwise."""
    truth: dict[str, object] = {}
    for ready in servers:
        print(f"checking the answer of {ready.server.name}", file=sys.stderr)
        with running(ready, record) as server:
            truth = truth or server.answer
            if fault := agree(ready.server, server.answer, truth):
                sys.exit(f"{ready.server.name}: {fault}")


def one_turn(ready: Ready, record: dict[str, object], seconds: float) -> dict[str, float]:
    """Start a server, load it with each number of connections, and look at its memory."""
    found: dict[str, float] = {}
    with running(ready, record) as server:
        found["start"] = server.start
        wrk(server, record, max(CONNECTIONS), WARM_UP)
        for connections in CONNECTIONS:
            before = scheduled(server)
            seen = wrk(server, record, connections, seconds)
            ran, waited = (now - then for now, then in zip(scheduled(server), before, strict=True))
            found[f"core_{connections}"] = 1e6 * ran / seen["requests"]
            found[f"waited_{connections}"] = 100 * waited / seconds
            if seen["errors"]:
                sys.exit(f"{ready.server.name}: {seen['errors']:g} of {seen['requests']:g} requests failed")
            found |= {f"{name}_{connections}": seen[name] for name in ("rps", "p50", "p99", "max")}
        found["memory"], found["processes"] = memory(server), len(tree(server.process.pid))
    return found


def report(medians: Medians, title: str) -> Iterable[str]:
    """Give the table of figures, that of ratios, and the bars."""
    names = {server.key: server.name for server in SERVERS}
    yield f"{title}, Python {sys.version.split()[0]}; one worker each, 1 and 16 connections\n"
    yield from head(FIGURES)
    for key, found in medians.items():
        yield f"| ({key}) {names[key]} | " + " | ".join(f"{found[name]:.4g}" for name in FIGURES) + " |"
    yield "\nEach as a multiple of the generated service:\n"
    yield from head(RATIOS)
    for key, found in medians.items():
        ratios = (found[name] / medians["0"][name] for name in RATIOS)
        yield f"| ({key}) {names[key]} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |"
    yield "\n| bar | value | wanted | |\n| --- | ---: | --- | --- |"
    yield from judged(medians)


def head(figures: dict[str, str]) -> Iterable[str]:
    """Give the first two rows of a table."""
    return "| server | " + " | ".join(figures.values()) + " |", "| --- |" + " ---: |" * len(figures)


if __name__ == "__main__":
    main()
