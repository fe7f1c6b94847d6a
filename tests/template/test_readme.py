"""README.md and AGENTS.md of a generated repository name what is there, and fit two screens."""

import re
from pathlib import Path

import pytest

from template.conftest import Make, Render

ANSWERS = [{}, {"storage": "s3", "storage_url": "s3://churn"}, {"runtime": "ejected"}]
PAGES = ["README.md", "AGENTS.md"]
# Written by the first `make train`, `make release` or `mlproduct eject`.
LATER = {
    "docs/model-card.md",
    "reports/ce.html",
    "reports/ce.md",
    "dvc.lock",
    "imports.yaml",
    "CHANGELOG.md",
    "experiments/",
    "runtime/",
}


@pytest.fixture(params=ANSWERS, ids=["default", "s3", "ejected"])
def project(render: Render, request: pytest.FixtureRequest) -> Path:
    return render(**request.param)


def test_the_readme_fits_two_screens(project: Path) -> None:
    assert len((project / "README.md").read_text(encoding="utf-8").splitlines()) <= 90
    assert len((project / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 70


def test_what_the_tree_of_the_readme_shows_is_there(project: Path) -> None:
    tree = (project / "README.md").read_text(encoding="utf-8").split("```")[1]
    folder, shown = "", []
    for line in filter(None, tree.splitlines()):
        inside = line.startswith("  ")
        for name in re.match(r" *(\S+(?:, \S+)*)  ", line)[1].split(", "):
            shown.append(f"{folder}{name}" if inside else name)
            folder = folder if inside else name
    assert len(shown) > 20
    missing = [name for name in shown if name not in LATER and not list(project.glob(name.rstrip("/")))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_links_and_files_that_a_page_names_are_there(project: Path, page: str) -> None:
    text = (project / page).read_text(encoding="utf-8")
    named = {*re.findall(r"\]\(((?!https:)[^)]+)\)", text), *re.findall(r"`([\w.-]+/[\w./-]+\.\w+)`", text)}
    assert named
    assert [name for name in named - LATER if not (project / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_of_a_page_is_one(project: Path, page: str, make: Make) -> None:
    verbs = set(re.findall(r"^  make ([\w-]+)", make(project, "help").stdout, re.MULTILINE))
    text = (project / page).read_text(encoding="utf-8")
    used = {verb for words in re.findall(r"(?:`|    )make ((?:[a-z-]+ ?)+)", text) for verb in words.split()}
    assert len(used) >= 6
    assert used <= verbs
