"""A fleet, in one run: `fleet status` on repositories it has never seen, its growth, and updates side by side.

The repositories are real: made by mlscaffold from several versions and answers, then cloned and edited, each with a
commit and files of its own. The ten thousand are sparse: git's folder alone, whose objects are those of the real ones,
with a commit of their own each.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

MLSCAFFOLD = [sys.executable, "-m", "mlscaffold"]
KINDS = [  # version and answers of the originals
    ("v0.5.0", {"name": "churn"}), ("v0.5.0", {"name": "fraud", "ci": "gitlab"}), ("v0.4.0", {"name": "demand"}),
    ("v0.5.0", {"name": "bodies", "target": "body_mass_g"}), ("v0.4.0", {"name": "risk", "storage": "s3"}),
    ("v0.3.0", {"name": "wear"}), ("v0.5.0", {"name": "price", "license": "MIT"}), ("v0.4.0", {"name": "stock"}),
]  # fmt: skip
WHO = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def originals(folder: Path) -> list[Path]:
    made = []
    for version, answers in KINDS:
        place = folder / answers["name"]
        words = [word for name, value in answers.items() for word in ("-d", f"{name}={value}")]
        subprocess.run(
            [*MLSCAFFOLD, "new", place, "--defaults", "--ref", version, *words], check=True, capture_output=True
        )
        made.append(place)
    return made


def real(base: Path, place: Path, number: int) -> None:
    """Clone, and edit as a team would: its README, a number, its model, and notes of its own."""
    subprocess.run(["git", "clone", "--quiet", base, place], check=True)
    with (place / "README.md").open("a") as file:
        file.write(f"\nProduct {number}.\n")
    params = place / "params.yaml"
    params.write_text(params.read_text() + f"\n# tuned on day {number}\n")
    model = next(place.glob("src/*/model.py"))
    model.write_text(model.read_text() + f"\n# choice {number}\n")
    (place / "docs" / "notes.md").write_text(f"# Notes of {number}\n\n" + "A finding.\n" * (number % 50))
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", f"work {number}")


def write_object(folder: Path, kind: bytes, body: bytes) -> str:
    content = kind + b" %d\0" % len(body) + body
    name = hashlib.sha1(content).hexdigest()
    file = folder / "objects" / name[:2] / name[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(zlib.compress(content, 1))
    return name


def sparse(base: Path, place: Path, number: int, tree: bytes, readme: bytes) -> None:
    own = place / ".git"
    for name in ("objects/info", "refs/heads"):
        (own / name).mkdir(parents=True)
    (own / "objects/info/alternates").write_text(f"{base / '.git' / 'objects'}\n")
    (own / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    blob = write_object(own, b"blob", readme + b"\nProduct %d.\n" % number)
    entry = b"100644 README.md\0"
    at = tree.index(entry) + len(entry)
    root = write_object(own, b"tree", tree[:at] + bytes.fromhex(blob) + tree[at + 20 :])
    who = b"bench <bench@localhost> 1764000000 +0000"
    commit = write_object(
        own, b"commit", b"tree %s\nauthor %s\ncommitter %s\n\n%d\n" % (root.encode(), who, who, number)
    )
    (own / "refs/heads/main").write_text(f"{commit}\n")


def resident(root: int) -> int:
    """Add up what a process and all that it has started hold in memory, in bytes."""
    parents, sizes = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)], sizes[int(folder.name)] = (
                    int(stat[1]),
                    int(stat[21]) * os.sysconf("SC_PAGE_SIZE"),
                )
            except (OSError, IndexError):
                continue
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sum(sizes.get(each, 0) for each in found)


def timed(*words: str, cwd: Path) -> tuple[float, float, float]:
    """Run mlscaffold, and give its seconds, those of processors, and the peak of memory of all its processes, in MB."""
    begun, peak, before = time.perf_counter(), 0, resource.getrusage(resource.RUSAGE_CHILDREN)
    with (cwd / "said.json").open("w") as said, (cwd / "wrong.txt").open("w") as wrong:
        process = subprocess.Popen([*MLSCAFFOLD, *words], cwd=cwd, stdout=said, stderr=wrong)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{words} failed: {(cwd / 'wrong.txt').read_text()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, spent, peak / 1e6


def fleet(folder: Path, root: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "fleet.toml").write_text(f'root = "{root}"\nrepositories = ["*"]\n')


def prepare(work: Path, bases: list[Path], few: int, many: int) -> None:
    if (work / "real").is_dir():
        return
    for number in range(few):
        real(bases[number % len(bases)], work / "real" / f"r{number:05}", number)
    told = [(base, tree_of(base), (base / "README.md").read_bytes()) for base in bases]
    for name, count in (("sparse", few), ("many", many)):
        for number in range(count):
            base, tree, readme = told[number % len(told)]
            sparse(base, work / name / f"r{number:05}", number, tree, readme)


def looks(work: Path, few: int, many: int) -> None:
    print(f"{'fleet status':44} {'seconds':>8} {'of processors':>14} {'MB':>6}")
    first = 0.0
    titles = (
        ("real", f"{few} real, never seen"), ("real", f"{few} real, again"),
        ("sparse", f"{few} sparse"), ("many", f"{many} sparse"),
    )  # fmt: skip
    for name, title in titles:
        if name == "many" and not many:
            continue
        fleet(work / f"look-{name}", work / name)
        seconds, spent, memory = timed("fleet", "status", "--json", cwd=work / f"look-{name}")
        rows = json.loads((work / f"look-{name}" / "said.json").read_text())
        assert not any(row["error"] for row in rows.values()), "a row has an error"
        assert all(row["score"] for row in rows.values()), "a row has no score"
        growth = f"  {spent / first:.2f} times the work for {many / few:g} times as many" if name == "many" else ""
        first = spent if name == "sparse" else first
        print(f"{title:44} {seconds:8.1f} {spent:14.1f} {memory:6.0f}{growth}", flush=True)


def tree_of(base: Path) -> bytes:
    return subprocess.run(["git", "cat-file", "tree", "HEAD^{tree}"], cwd=base, check=True, capture_output=True).stdout


def updates(work: Path, bases: list[Path], count: int) -> None:
    behind = [base for base in bases if "_commit: v0.4.0" in (base / ".copier-answers.yml").read_text()]
    spent = {}
    for jobs in (1, 2):
        root = work / f"jobs{jobs}"
        for number in range(count):
            real(behind[number % len(behind)], root / f"r{number:03}", number)
        fleet(work / f"update-{jobs}", root)
        timed("fleet", "status", cwd=work / f"update-{jobs}")
        spent[jobs], _, _ = timed("fleet", "update", "--no-checks", "--jobs", str(jobs), cwd=work / f"update-{jobs}")
        shutil.rmtree(root)
    ratio = f"{spent[1] / spent[2]:.2f} times as fast"
    print(f"{count} updates from v0.4.0: one after the other {spent[1]:.1f} s, two at a time {spent[2]:.1f} s, {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--work", type=Path, help="make the repositories here and keep them; the next run takes them")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlscaffold-fleet-bench-") as folder:
        work = (told.work or Path(folder)).absolute()
        bases = sorted((work / "originals").glob("*")) or originals(work / "originals")
        if told.repositories:
            prepare(work, bases, told.repositories, told.many)
            for store in work.glob("look-*/fleet.db"):
                store.unlink()
            looks(work, told.repositories, told.many)
        if told.updates:
            updates(work, bases, told.updates)


if __name__ == "__main__":
    main()
