"""Pages and plots that git tracks and training writes again: until 0.6.0, they were committed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mlproduct.experiments.commits import git
from mlproduct.experiments.publish import PAGE

PIPELINE = Path("dvc.yaml")


def untrack_outputs() -> list[str]:
    """Take the journal's page and what DVC caches out of git's index, or DVC would refuse to run; the files stay.

    Returns
    -------
    list of str
        Their paths.
    """
    words = ["git", "ls-files", "-z", "--", str(PAGE), *cached_outputs()]
    listed = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=False).stdout  # no git: none
    tracked = [path for path in listed.split("\0") if path]
    if tracked:
        git("rm", "--cached", "--quiet", "--", *tracked)
    return tracked


def cached_outputs() -> list[str]:
    """Return the outputs and plots of dvc.yaml that are in the cache of DVC."""
    if not PIPELINE.exists():
        return []
    stages = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["stages"]
    return [path for stage in stages.values() for path in _cached([*stage.get("outs", ()), *stage.get("plots", ())])]


def _cached(entries: list[str | dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        named = {entry: {}} if isinstance(entry, str) else entry
        yield from (path for path, options in named.items() if (options or {}).get("cache", True))
