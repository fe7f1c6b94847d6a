"""Write docs/reference/checks.md from the checks themselves."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from mlscaffold.checks import CHECKS, FAMILIES
from mlscaffold.checks.standard import WEIGHT, Check, Family
from mlscaffold.checks.vulnerabilities import VULNERABILITIES

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "checks.md"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help="the file to write")
    parser.parse_args().page.write_text("\n".join(_page()) + "\n", encoding="utf-8")


def _page() -> Iterator[str]:
    weights = ", ".join(f"{name} {weight}" for name, weight in WEIGHT.items())
    yield "# Checks"
    yield ""
    yield (
        f"What `mlscaffold check` looks at: {len(CHECKS)} checks. A check counts by its severity ({weights}); one "
        "whose *looks at* is not there has nothing to look at, and counts nothing. How to run, select and ignore them: "
        "[check a repository](../how-to/check.md). This page is written by `scripts/checks_reference.py`."
    )
    for family in FAMILIES:
        yield from _family(family)
    yield from _holes()


def _family(family: Family) -> Iterator[str]:
    yield from ("", f"## {family.letters}: {family.name}", "", family.about, "")
    yield from (
        "| id | what is so | severity | looks at | without it | fix |",
        "| --- | --- | --- | --- | --- | --- |",
    )
    yield from (_row(check) for check in family.checks)


def _row(check: Check) -> str:
    why = f"{check.why} [{check.source.title}]({check.url})"
    cells = (f"**{check.id}**", check.title, check.severity, check.needs, why, check.fix)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _holes() -> Iterator[str]:
    yield from (
        "",
        "## Known vulnerabilities",
        "",
        "The versions that SC009 refuses. It works without a network, so it knows these alone; `pip-audit` knows all.",
        "",
    )
    yield from ("| package | from | closed in | number | what it does |", "| --- | --- | --- | --- | --- |")
    for each in VULNERABILITIES:
        since = "the first" if each.since == "0" else each.since
        yield f"| {each.package} | {since} | {each.fixed} | {each.cve} | {each.what} |"


if __name__ == "__main__":
    main()
