"""Write the golden trees anew, after files were added or removed: `python tests/template/golden.py`."""

import sys
import tempfile
from pathlib import Path

import copier

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from template.conftest import committed_template  # noqa: E402
from template.test_rendered import PROFILES  # noqa: E402


def main() -> None:
    """Render each profile from the checkout and write the names of its files."""
    for profile, answers in PROFILES.items():
        with tempfile.TemporaryDirectory() as folder:
            (template := Path(folder) / "template").mkdir()
            tree = Path(folder) / "churn"
            copier.run_copy(
                str(committed_template(template)), tree, data={"name": "churn", **answers}, defaults=True, quiet=True
            )
            names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
        (HERE / "golden" / f"{profile}.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
