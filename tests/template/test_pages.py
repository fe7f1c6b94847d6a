"""The report and the journal as people see them: in a real browser, light and dark, wide and narrow."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from template.conftest import Render, commit

pytestmark = [pytest.mark.slow]
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
# Dark is asked for as the system would ask; the page is measured by a script in a copy of it.
DARK = ("--blink-settings=preferredColorScheme=0",)
MEASURE = """<script>
const style = (e) => getComputedStyle(e), numbers = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
const linear = (v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = (c) => {
  const [r, g, b] = numbers(c).map((v) => linear(v / 255)); return .2126 * r + .7152 * g + .0722 * b; };
const contrast = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
const paper = style(document.body).backgroundColor;
const texts = [...document.querySelectorAll("p, td, th, h1, h2, summary, svg text")];
document.title = JSON.stringify({
  across: document.documentElement.scrollWidth, wide: document.documentElement.clientWidth, paper,
  contrast: Math.min(...texts.map((e) => contrast(e instanceof SVGElement ? style(e).fill : style(e).color, paper))),
  drawings: document.querySelectorAll("svg[role=img] > title").length,
  tables: document.querySelectorAll("table").length,
  first: document.querySelector(".verdict")?.previousElementSibling?.tagName,
  heads: [...document.querySelectorAll("h2")].map((e) => e.textContent),
});
</script>"""


@pytest.fixture(scope="module")
def pages(render: Render, environment: Path) -> Path:
    """Train two models of the example, the first one released, and give the folder of the reports."""
    project = render(protected="[sex]")
    env = {**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "src"}
    commit(project)
    for trees in ("100", "5"):
        params = project / "params.yaml"
        text = re.sub(r"max_iter: \d+", f"max_iter: {trees}", params.read_text(encoding="utf-8"))
        params.write_text(
            text.replace("min_rows: 200", "min_rows: 20").replace("min_class_rows: 30", "min_class_rows: 3"),
            encoding="utf-8",
        )
        words = ["mlproduct", "train", "--why", "<b>fewer</b> trees | are `enough`?"]
        done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        commit(project, trees)
        subprocess.run(["git", "tag", f"v{trees}.0.0"], cwd=project, check=True)
    return project / "reports"


def measured(page: Path, folder: Path, width: int, *flags: str) -> dict[str, object]:
    """Open a copy of a page in chromium, and give what its browser says of it."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing: `.ci/run` installs it")
        pytest.skip("chromium is missing: apt-get install chromium")
    copy = folder / page.name
    framed = folder / "frame.html"  # a window narrower than 500 is not opened: a frame is
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    framed.write_text(
        f'<iframe src="{copy.name}" width="{width}" height="900" style="border:0"></iframe><script>'
        "const frame = document.querySelector('iframe'); frame.onload = () => "
        "{ document.body.textContent = frame.contentDocument.title; };</script>", encoding="utf-8")  # fmt: skip
    words = [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder / 'profile'}", "--allow-file-access-from-files"]
    words += ["--virtual-time-budget=5000", f"--window-size={max(width, 500) + 40},1000", "--dump-dom", framed.as_uri()]
    page_source = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"\{.*\}", page_source)
    assert found, page_source[-2000:]
    measurements: dict[str, object] = json.loads(
        found[0].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    )
    return measurements


@pytest.mark.parametrize("width", [1280, 360])
def test_the_report_can_be_read_light_and_dark(pages: Path, tmp_path: Path, width: int) -> None:
    light = measured(pages / "ce.html", tmp_path, width)
    dark = measured(pages / "ce.html", tmp_path, width, *DARK)
    assert light["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] != light["paper"]
    for facts in (light, dark):
        assert facts["wide"] == width
        assert facts["across"] == width  # nothing is cut off, and the page itself does not scroll sideways
        assert float(str(facts["contrast"])) >= 4.5
        assert int(str(facts["drawings"])) >= 4
        assert facts["first"] == "H1"  # the verdict is the first sentence
        heads = [
            "How good is it?",
            "Where is it weak?",
            "Are groups treated alike?",
            "Has the data moved?",
            "What is different?",
        ]
        assert facts["heads"] == [*heads, "Is something else better?", "All checks"]


def test_the_journal_can_be_read(pages: Path, tmp_path: Path) -> None:
    facts = measured(pages / "journal.html", tmp_path, 360)
    assert (facts["across"], facts["drawings"], facts["tables"]) == (360, 1, 2)
    text = (pages / "journal.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;fewer&lt;/b&gt; trees | are `enough`?" in text
    first, second = re.findall(r"<tr><td>.{8}</td><td>.*?</td><td>.*?</td><td>(\w+)</td><td>(.*?)</td>", text)
    assert {first[0], second[0]} <= {"blessed", "inconclusive", "rejected"}  # each has ended
    assert all(re.fullmatch(r"roc_auc 0\.\d+", metric) for _, metric in (first, second))
    assert "<b>fewer" not in text


def test_a_page_that_is_too_wide_would_be_found(tmp_path: Path) -> None:
    broken = tmp_path / "in" / "broken.html"
    broken.parent.mkdir()
    broken.write_text(
        '<!doctype html><body style="color:#999;background:#fff"><p style="width:900px">x</p></body>', encoding="utf-8"
    )
    facts = measured(broken, tmp_path, 360)
    assert int(str(facts["across"])) > 360
    assert float(str(facts["contrast"])) < 4.5


def test_the_pages_need_nothing_from_elsewhere(pages: Path) -> None:
    for name in ("ce.html", "journal.html"):
        text = (pages / name).read_text(encoding="utf-8")
        assert not re.search(r"(?:https?:)?//[a-z]|src=|@import|url\(", text), name
        assert len(text) < 500_000


def test_the_comment_is_short_and_says_it_first(pages: Path) -> None:
    lines = (pages / "ce.md").read_text(encoding="utf-8").splitlines()
    assert re.match(r"## [✔?✘] (blessed|inconclusive|rejected)$", lines[0])
    assert lines[2].startswith("This model ")
    assert len(lines) < 80
    assert "| params | model.max_iter: 100 → 5 |" in lines
