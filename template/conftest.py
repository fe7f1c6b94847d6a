"""What ran, and how it ended: kept for the ML Test Score, which counts tests that ran and nothing else."""

import gc
import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of small tables: threads wait for each other longer than they work
KEPT = "ml_test_score/outcomes"
seen: dict[str, list[str]] = {}


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what has been imported: it stays, and is a million objects."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test: passed, failed or skipped, over all its parameters."""
    if report.when == "call" or report.outcome != "passed":
        seen.setdefault(report.nodeid.split("[")[0], []).append(report.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the outcomes in pytest's cache."""
    cache = getattr(session.config, "cache", None)
    if cache is not None and not hasattr(session.config, "workerinput"):
        cache.set(KEPT, cache.get(KEPT, {}) | seen)
