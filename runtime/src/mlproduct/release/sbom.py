"""The software bill of materials of the image, CycloneDX 1.6: every package with its hashes, the model, the data."""

import json
import subprocess
from pathlib import Path
from typing import Any

from mlproduct.artifacts import META
from mlproduct.errors import DataError
from mlproduct.packaging.package import LOCK

SBOM = Path("reports/sbom.json")
TOOL = [
    "cyclonedx-py",
    "requirements",
    "--output-reproducible",
    "--no-validate",
    "--sv",
    "1.6",
    "--of",
    "JSON",
    "-o",
    "-",
]


def bill(name: str, version: str, folder: Path) -> str:
    """Write the bill of what a folder, a work tree of this repository, is packaged from.

    Raises
    ------
    DataError
        If cyclonedx-py is not there, or cannot read the lock.
    """
    try:
        done = subprocess.run([*TOOL, str(folder / LOCK)], capture_output=True, text=True, encoding="utf-8", check=True)
    except FileNotFoundError:
        raise DataError("cyclonedx-py is missing: `make release` brings it (requirements-ops.lock)") from None
    except subprocess.CalledProcessError as error:
        raise DataError(f"cyclonedx-py cannot read {LOCK}:\n{error.stderr}") from None
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    return json.dumps(completed(json.loads(done.stdout), name, version, meta), indent=1, ensure_ascii=False) + "\n"


def completed(document: dict[str, Any], name: str, version: str, meta: dict[str, Any]) -> dict[str, Any]:
    """Add to the packages what is served: the product, its model and the data that the model learnt from."""
    for component in document["components"]:
        component.pop("description", None)  # the line of the lock once more
    components = [
        {"type": "machine-learning-model", "bom-ref": "model", "name": f"{name}-model", "version": meta["version"]},
        {
            "type": "data",
            "bom-ref": "data",
            "name": f"{name}-data",
            "version": meta["data"],
            "hashes": [{"alg": "MD5", "content": meta["data"]}],
        },
    ]
    product = {"type": "application", "bom-ref": "product", "name": name, "version": version.removeprefix("v")}
    refs = [component["bom-ref"] for component in document["components"]]
    depends = [
        {"ref": "product", "dependsOn": [*refs, "model"]},
        {"ref": "model", "dependsOn": ["data"]},
        {"ref": "data"},
    ]
    others = [entry for entry in document.get("dependencies", []) if entry["ref"] in refs]
    return document | {
        "metadata": document["metadata"] | {"component": product},
        "components": [*components, *document["components"]],
        "dependencies": [*depends, *others],
    }
