"""The repository that some tests look at: the one that holds the ejected library, else a fresh one of the template."""

import shutil
import sys
from atexit import register
from pathlib import Path
from tempfile import mkdtemp

PACKAGE = "penguins"


def _found() -> Path:
    above = Path(__file__).parents[3]
    return above if (above / "contract.yaml").exists() else _rendered(above)


def _rendered(checkout: Path) -> Path:
    """Render the template of a checkout of mlscaffold, as it stands."""
    import copier

    folder = Path(mkdtemp(prefix="mlproduct-"))
    register(shutil.rmtree, folder, ignore_errors=True)
    source = folder / "template"
    shutil.copytree(checkout / "template", source / "template", ignore=shutil.ignore_patterns("vendor"))
    shutil.copy2(checkout / "copier.yml", source)
    copier.run_copy(str(source), folder / PACKAGE, data={"name": PACKAGE}, defaults=True, quiet=True)
    return folder / PACKAGE


ROOT = _found()
if (ROOT / "contract.yaml").exists():
    PACKAGE = next(ROOT.glob("src/*/model.py")).parent.name
sys.path.insert(0, str(ROOT / "src"))
