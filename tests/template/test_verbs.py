"""The verbs of a generated repository's Makefile that the other tests do not run."""

import re
import subprocess
from collections.abc import Callable

from template.conftest import Render

Make = Callable[..., subprocess.CompletedProcess[str]]


def test_help_lists_every_verb(render: Render, make: Make) -> None:
    project = render()
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    verbs = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert verbs
    listed = re.findall(r"^  make ([\w-]+)", make(project, "help").stdout, re.MULTILINE)
    assert listed == verbs[1].split()
    assert make(project).stdout == make(project, "help").stdout
    assert all(len(line) <= 100 for line in make(project, "help").stdout.splitlines())


def test_every_verb_is_one_line(render: Render) -> None:
    rules = re.split(r"^(?=\S+:)", (render() / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    recipes = [[line for line in rule.splitlines() if line.startswith("\t")] for rule in rules]
    assert max(map(len, recipes)) == 1


def test_the_locks_are_made_again_as_they_are(render: Render, make: Make) -> None:
    project = render(storage="s3")
    locks = sorted(project.glob("requirements*.lock"))
    before = [lock.read_text(encoding="utf-8") for lock in locks]
    make(project, "lock")
    after = [lock.read_text(encoding="utf-8") for lock in locks]
    assert list(map(pins, after)) == list(map(pins, before))
    assert not re.search(r"index-url|find-links|https?://|file:", "".join(after))


def test_a_dependency_of_the_team_s_own_comes_into_both_locks(render: Render, make: Make) -> None:
    project = render()
    table = project / "pyproject.toml"
    table.write_text(table.read_text().replace('"numpy",', '"numpy",\n    "humanize",'), encoding="utf-8")
    make(project, "lock")
    for name in ("requirements.lock", "requirements-service.lock"):
        lock = (project / name).read_text(encoding="utf-8")
        assert re.search(r"^humanize==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)


def pins(lock: str) -> list[str]:
    return re.findall(r"^\S+==\S+", lock, re.MULTILINE)
