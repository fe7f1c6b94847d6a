"""Write the golden trees anew, after files were added or removed: `python tests/template/golden.py`."""

import sys
import tempfile
from pathlib import Path

import copier

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from template.test_rendered import PROFILES  # noqa: E402


def main() -> None:
    """Render each profile from the checkout and write the names of its files."""
    for profile, answers in PROFILES.items():
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "churn"
            copier.run_copy(
                str(HERE.parents[1]), tree, data={"name": "churn", **answers}, defaults=True, quiet=True, vcs_ref="HEAD"
            )
            names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
        (HERE / "golden" / f"{profile}.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
