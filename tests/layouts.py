"""Repositories as teams have them before they know of a standard: three well-known shapes, each in git."""

import random
from collections.abc import Mapping
from pathlib import Path

from conftest import git

NOTEBOOK = """{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
 "source": ["import pandas as pd\\n", "from sklearn.linear_model import LogisticRegression\\n"]}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
SCRIPT = """import pandas as pd
from sklearn.linear_model import LogisticRegression

table = pd.read_csv("customers.csv")
model = LogisticRegression().fit(table[["age", "visits"]], table["churned"])
print(model.score(table[["age", "visits"]], table["churned"]))
"""
# Cookiecutter Data Science, version 1: https://cookiecutter-data-science.drivendata.org/v1/
COOKIECUTTER = {
    ".gitignore": "__pycache__/\n*.py[cod]\n.env\n.venv\n/data/\n*.log\n",
    ".env": None,
    "LICENSE": "MIT, Team Churn\n",
    "Makefile": ".PHONY: requirements data lint\n\nrequirements:\n\tpip install -r requirements.txt\n\n"
    "data: requirements\n\tpython src/data/make_dataset.py data/raw data/processed\n\nlint:\n\tflake8 src\n",
    "README.md": "churn\n=====\n\nWho leaves us? Ask Grace.\n",
    "docs/Makefile": "html:\n\tsphinx-build . _build\n",
    "docs/conf.py": "project = 'churn'\n",
    "docs/index.rst": "churn\n=====\n",
    "models/.gitkeep": "",
    "notebooks/1.0-gh-first-look.ipynb": NOTEBOOK,
    "references/.gitkeep": "",
    "reports/figures/.gitkeep": "",
    "requirements.txt": "-e .\nscikit-learn\nxgboost>=2\nflake8\n",
    "setup.py": "from setuptools import find_packages, setup\n\nsetup(name='src', packages=find_packages())\n",
    "src/__init__.py": "",
    "src/data/__init__.py": "",
    "src/data/make_dataset.py": "def main():\n    return 1\n",
    "src/features/__init__.py": "",
    "src/features/build_features.py": "FEATURES = ['age', 'visits']\n",
    "src/models/__init__.py": "",
    "src/models/train_model.py": "import xgboost\n",
    "test_environment.py": "import sys\n\nassert sys.version_info >= (3,)\n",
    "tox.ini": "[flake8]\nmax-line-length = 79\n",
}
# What `kedro new` makes: https://docs.kedro.org/en/stable/get_started/kedro_concepts.html
KEDRO = {
    ".gitignore": "conf/local/**\n!conf/local/.gitkeep\n/data/**\n!data/**/\n!.gitkeep\n.venv\n__pycache__/\n",
    ".gitlab-ci.yml": "test:\n  script: pytest\n",
    "README.md": "# Shop\n\nRun it: `kedro run`\n",
    "conf/README.md": "# Configuration\n",
    "conf/base/catalog.yml": "customers:\n  type: pandas.CSVDataset\n  filepath: data/01_raw/customers.csv\n",
    "conf/base/parameters.yml": "test_size: 0.2\n",
    "conf/local/.gitkeep": "",
    "data/01_raw/.gitkeep": "",
    "data/02_intermediate/.gitkeep": "",
    "data/08_reporting/.gitkeep": "",
    "notebooks/.gitkeep": "",
    "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
    '[project]\nname = "shop"\nversion = "0.1"\ndependencies = ["kedro~=1.0", "scikit-learn", "torch"]\n\n'
    '[tool.kedro]\npackage_name = "shop"\nproject_name = "Shop"\nkedro_init_version = "1.0.0"\n',
    "requirements.txt": "kedro~=1.0\n",
    "src/shop/__init__.py": '__version__ = "0.1"\n',
    "src/shop/__main__.py": "def main() -> None:\n    pass\n",
    "src/shop/pipeline_registry.py": "def register_pipelines():\n    return {}\n",
    "src/shop/pipelines/__init__.py": "",
    "src/shop/pipelines/training/__init__.py": "",
    "src/shop/pipelines/training/nodes.py": "def train(table):\n    return table\n",
    "src/shop/settings.py": "CONF_SOURCE = 'conf'\n",
    "tests/__init__.py": "",
    "tests/pipelines/__init__.py": "",
    "tests/test_run.py": "def test_nothing_yet():\n    assert True\n",
}
FLAT = {"analysis.ipynb": NOTEBOOK, "train.py": SCRIPT, "notes.txt": "Ada: try more trees\n"}


def customers(rows: int = 400) -> str:
    """Give a table from which something can be learnt."""
    chance = random.Random(1)
    lines = ["age,visits,plan,churned"]
    for _ in range(rows):
        age, visits = chance.randint(18, 80), chance.randint(0, 40)
        leaves = chance.random() < (0.85 if visits < 15 else 0.15)
        lines.append(f"{age},{visits},{chance.choice(['basic', 'pro'])},{'Yes' if leaves else 'No'}")
    return "\n".join(lines) + "\n"


def built(folder: Path, files: Mapping[str, str | None], **local: str) -> Path:
    """Write a tree and commit it; `local` files come after that, and git ignores them or not as the tree says."""
    for name, text in {**files, **{name.replace("__", "/"): text for name, text in local.items()}}.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "as it is")
    return folder


def cookiecutter(folder: Path) -> Path:
    return built(folder, {**COOKIECUTTER, "data/raw/customers.csv": customers(), ".env": "TOKEN=mine\n"})


def kedro(folder: Path) -> Path:
    return built(folder, {**KEDRO, "data/01_raw/customers.csv": customers()})


def flat(folder: Path) -> Path:
    return built(folder, {**FLAT, "customers.csv": customers()})
