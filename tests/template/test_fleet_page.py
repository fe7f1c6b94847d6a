"""The page of a fleet as people see it: in a real browser, light and dark, wide and narrow, filtered and sorted."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mlscaffold.fleet.record import Record
from mlscaffold.fleet.report import render
from mlscaffold.fleet.store import Run, opened

from .test_pages import CHROMIUM, DARK, FLAGS, measured

pytestmark = [pytest.mark.slow]
FAMILIES = {"LH": 100, "DA": 80, "RE": 70, "EV": 100, "SV": None, "OB": 90, "DL": 100, "SC": 60, "OW": 100, "TM": 0}
# What a person would do, then what they would see.
ACTS = """<script>
const table = document.querySelector("#repositories"), heads = [...table.tHead.rows[0].cells];
const names = () => [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
const head = (name) => heads.find((each) => each.textContent === name);
const type = (text) => { const box = document.querySelector("#words"); box.value = text;
  box.dispatchEvent(new Event("input")); };
const pick = (value) => { const list = document.querySelector("#state"); list.value = value;
  list.dispatchEvent(new Event("change")); };
const seen = { first: names() };
head("score").querySelector("button").click(); seen.up = names(); seen.sort = head("score").ariaSort;
head("score").querySelector("button").click(); seen.down = names();
seen.sorts = document.querySelectorAll("[aria-sort]").length;
head("repository").querySelector("button").click(); seen.byName = names();
type("TEAM/a v0.4"); seen.typed = names(); seen.count = document.querySelector("#count").textContent; type("");
pick("behind"); seen.behind = names(); pick("unread"); seen.unread = names(); pick("open"); seen.open = names();
pick("");
seen.labelled = [...document.querySelectorAll("input, select")].every((each) => each.labels.length === 1);
seen.named = [...document.querySelectorAll("button")].every((each) => each.textContent.trim());
seen.scopes = [...document.querySelectorAll("th")].every((each) => each.scope);
document.body.textContent = JSON.stringify(seen);
</script>"""


def rows() -> dict[str, Record]:
    found = {
        "team/alpha": Record(version="v0.4.0", behind=1, score=9, failing=["SC001"], changed=3, deleted=1, at_risk=2),
        "team/beta": Record(version="v0.5.0", behind=0, score=100, good=True, changed=0, deleted=0, verdict="blessed"),
        "team/gamma": Record(
            version="v0.3.0", behind=2, score=70, good=True, conflicts=["a<b>.md"], gates_off=["bias.gap is None"],
            expired=["the waiver of drift has expired"], verdict="rejected", judged="2026-11-01",
        ),
        "other/<img src=x>": Record(version="v9", behind=None, score=85, good=True),
        "other/broken": Record(error='is not a git repository with a commit that can be read ("quoted" <b>bold</b>)'),
    }  # fmt: skip
    return {name: row if row.error else replace(row, families=FAMILIES, looked_at=150) for name, row in found.items()}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet over five looks, whose repositories move to newer versions."""
    file = tmp_path_factory.mktemp("page") / "fleet.html"
    with opened(None) as store:
        for number, version in enumerate(["v0.3.0", "v0.4.0", "v0.4.0", "v0.5.0"]):
            old = {name: row for name, row in rows().items() if number or name != "team/beta"}
            run = Run(f"look {number}", f"2026-11-0{number + 1}T10:00:00+00:00", version, len(old))
            store.begin(run)
            for name, row in old.items():
                store.keep(
                    run,
                    name,
                    row if name != "team/beta" or number == 3 else Record.from_dict({"version": version, "behind": 1}),
                )
        last = Run("look 4", "2026-11-25T10:00:00+00:00", "v0.5.0", 5)
        store.begin(last)
        for name, row in rows().items():
            store.keep(last, name, row)
        store.updated("team/gamma", "v0.5.0", "conflicts")
        file.write_text(render(store), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_can_be_read_light_and_dark(page: Path, tmp_path: Path, width: int) -> None:
    light, dark = measured(page, tmp_path, width), measured(page, tmp_path, width, *DARK)
    assert light["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] != light["paper"]
    for facts in (light, dark):
        # The table scrolls within itself, not the page.
        assert (facts["wide"], facts["across"]) == (width, width)
        assert float(str(facts["contrast"])) >= 4.5
        assert (facts["drawings"], facts["tables"]) == (1, 4)
        assert facts["heads"] == [
            "Adoption", "Where each standard stands", "What fails most often", "Repositories, worst first",
        ]  # fmt: skip


def acted(page: Path, folder: Path) -> dict[str, object]:
    assert CHROMIUM is not None
    copy = folder / "acted.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{ACTS}</body>"), encoding="utf-8")
    words = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
    output = subprocess.run([*words, copy.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'\{"first".*\}', output)
    assert found, output[-2000:]
    facts: dict[str, object] = json.loads(found[0].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
    return facts


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="apt-get install chromium")
def test_the_table_is_filtered_and_sorted(page: Path, tmp_path: Path) -> None:
    alpha, beta, gamma = "team/alpha", "team/beta", "team/gamma"
    image, broken = "other/<img src=x>", "other/broken"
    facts = acted(page, tmp_path)
    assert facts["first"] == [broken, alpha, gamma, image, beta]  # worst first
    assert facts["up"] == [alpha, gamma, image, beta, broken]  # 9 before 70; what is unknown at the end
    assert facts["down"] == [beta, image, gamma, alpha, broken]
    assert (facts["sort"], facts["sorts"]) == ("ascending", 1)
    assert facts["byName"] == sorted([alpha, beta, gamma, image, broken])
    assert (facts["typed"], facts["count"]) == ([alpha], "1 of 5 shown")
    assert facts["behind"] == [alpha, gamma]
    assert (facts["unread"], facts["open"]) == ([broken], [gamma])
    assert (facts["labelled"], facts["named"], facts["scopes"]) == (True, True, True)


def test_without_scripts_all_rows_are_there_and_no_dead_controls(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count('<tr data-is="') == 5
    assert '<div class="controls" hidden>' in text


def test_the_page_needs_nothing_from_elsewhere_and_trusts_no_name(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?:https?:)?//[a-z]|\bsrc=[\"']|@import|url\(|innerHTML", text)
    assert "<img" not in text
    assert "<b>bold" not in text
    assert "a&lt;b&gt;.md" in text


def test_adoption_is_drawn_by_version_and_told_as_a_table(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<title>look 0: 1 v0.4.0</title>" in text
    assert "<title>look 4: 1 v0.5.0</title>" in text
    assert "look 4: 1 another standard, or none" in text
    assert "look 4: 1 could not be read" in text


def test_an_empty_store_says_what_to_do() -> None:
    with opened(None) as store:
        assert "mlscaffold fleet status" in render(store)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="apt-get install chromium")
def test_a_table_that_is_broken_would_be_found(page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "fleet.html"
    broken.write_text(page.read_text(encoding="utf-8").replace("x - y", "y - x"), encoding="utf-8")
    assert acted(broken, tmp_path)["up"] != [
        "team/alpha",
        "team/gamma",
        "other/<img src=x>",
        "team/beta",
        "other/broken",
    ]
