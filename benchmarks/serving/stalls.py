"""Why BentoML stalls: one request after the other against a handler that does nothing, one switch at a time.

A stall is a request that takes ten times as long as the usual one. The client and the service use the same clock
(CLOCK_MONOTONIC), so each stall is laid beside the full collections of garbage (generation 2) of the service. wrk adds
to its percentiles the requests that it could not send while it waited; its p99 is a share of time, the client's one of
requests, and both are shown. Collections are those of 1,000 requests; garbage (objects that the collector threw away)
and kept (objects that are there and were not before) those of one.
"""

import argparse
import http.client
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Running, running, wrk
from project import Project, shipped
from servers import BENTOML, Server, prepared

STALL = 10  # times the median
RECORD = {"record": {"any": 1}}
LEAN = "no metrics,no access log,no tracing"
CALM = "heap frozen,high threshold"
VARIANTS = {
    "plain": "",
    "collector off": "collector off",
    "timer cancelled": "timer cancelled",
    "short timeout": "short timeout",
    "type said": "type said",
    "type said, timer cancelled": "type said,timer cancelled",
    "heap frozen": "heap frozen",
    "high threshold": "high threshold",
    "frozen, high threshold": CALM,
    "no metrics": "no metrics",
    "no access log": "no access log",
    "no tracing": "no tracing",
    "none of the three": LEAN,
    "async handler": "async handler",
    "best handler": f"async handler,type said,{LEAN},{CALM}",
    "middleware": "in a middleware",
    "middleware, none of the three": f"in a middleware,{LEAN}",
    "middleware, and calm": f"in a middleware,{LEAN},{CALM}",
    "middleware, and short timeout": f"in a middleware,{LEAN},{CALM},short timeout",
    "plain, uvloop": "uvloop",
    "middleware, all, uvloop": f"in a middleware,{LEAN},{CALM},short timeout,uvloop",
}


@dataclass(frozen=True)
class Load:
    """What a client saw, and the service at the end of it."""

    times: list[tuple[float, float]]  # sent, answered
    seen: dict[str, Any]
    kept: int  # objects that were not there before

    @property
    def took(self) -> list[float]:
        """Give the latencies in milliseconds."""
        return [1000 * (end - begin) for begin, end in self.times]

    @property
    def full(self) -> list[tuple[float, float]]:
        """Give begin and end of the full collections during the load."""
        return [(begin, end) for begin, end, generation, _ in self.collections if generation == 2]

    @property
    def collections(self) -> list[tuple[float, float, int, int]]:
        """Give begin, end, generation and objects thrown away of the collections during the load."""
        first, last = self.times[0][0], self.times[-1][1]
        return [each for each in self.seen["collections"] if first < each[0] < last]

    @property
    def stalls(self) -> list[tuple[float, float]]:
        """Give the requests that took much longer than usual."""
        limit = STALL * statistics.median(self.took)
        return [each for each, took in zip(self.times, self.took, strict=True) if took > limit]

    @property
    def explained(self) -> int:
        """Count the stalls during which a full collection ran."""
        return sum(any(begin < answered and end > sent for begin, end in self.full) for sent, answered in self.stalls)

    def row(self) -> dict[str, float]:
        """Give the figures of the table."""
        took = sorted(self.took)
        full = [1000 * (end - begin) for begin, end in self.full]
        span = 1000 * (self.times[-1][1] - self.times[0][0])
        per = 1000 / len(took)
        return {
            "requests/s": 1000 * len(took) / span,
            "p50 ms": statistics.median(took),
            "p99 ms": took[int(0.99 * len(took))],
            "longest ms": took[-1],
            "stalls": len(self.stalls),
            "of them in a full collection": self.explained,
            "collections": per * len(self.collections),
            "full": per * len(full),
            "longest ms of a full one": max(full, default=0.0),
            "share of time": sum(1000 * (end - begin) for begin, end, *_ in self.collections) / span,
            "garbage": sum(thrown for *_, thrown in self.collections) / len(took),
            "kept": self.kept / len(took),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="variants, semicolon separated", default=";".join(VARIANTS))
    parser.add_argument("--requests", type=int, default=4000, help="of our own client (4000)")
    parser.add_argument("--seconds", type=float, default=4, help="of each load by wrk (4)")
    parser.add_argument("--kinds", action="store_true", help="also say what the heap of the service holds most of")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    asked = parser.parse_args()
    project = shipped("penguins")
    rows = {}
    for name in asked.only.split(";"):
        print(name, file=sys.stderr)
        rows[name], seen = measured(project, VARIANTS[name], asked.requests, asked.seconds)
        if asked.kinds:
            print(json.dumps(seen["kinds"]), file=sys.stderr)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    figures = list(next(iter(rows.values())))
    print("| variant | " + " | ".join(figures) + " |\n| --- |" + " ---: |" * len(figures))
    for name, row in rows.items():
        print(
            f"| {name} | "
            + " | ".join(f"{row[figure]:.3g}" if row[figure] < 1000 else f"{row[figure]:.0f}" for figure in figures)
            + " |"
        )


def measured(project: Project, switches: str, requests: int, seconds: float) -> tuple[dict[str, float], dict[str, Any]]:
    """Start one variant, load it with our client, then with wrk."""
    server = Server(
        key="stalls",
        name=switches,
        requirements="bentoml-uvloop" if "uvloop" in switches else "bentoml",
        command=[*BENTOML, "bento_stalls:Stalls"],
        path="/middleware" if "in a middleware" in switches else "/predict",
        body=lambda _: RECORD,
        scores=None,
        variables={"BENCH_SWITCHES": switches},
    )
    with running(prepared(server, project), {}) as found:
        load(found, 200)  # warms it
        client = load(found, requests)
        by_wrk = {f"wrk p99 ms, {c}": wrk(found, {}, c, seconds) for c in (1, 16)}
        return client.row() | {name: each["p99"] for name, each in by_wrk.items()}, client.seen


def load(server: Running, requests: int) -> Load:
    """Ask one request after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    body, headers = json.dumps(RECORD), {"Content-Type": "application/json"}

    def answer(method: str, path: str) -> bytes:
        connection.request(method, path, body, headers)
        return connection.getresponse().read()

    before = json.loads(answer("GET", "/seen"))
    times = []
    for _ in range(requests):
        sent = time.perf_counter()
        answer("POST", server.ready.server.path)
        times.append((sent, time.perf_counter()))
    seen = json.loads(answer("GET", "/seen"))
    return Load(times, seen, seen["objects"] - before["objects"])


if __name__ == "__main__":
    main()
