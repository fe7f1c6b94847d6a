"""What a repository is made of, told from its files, and the answers that follow."""

from pathlib import Path

import pytest

import layouts
from mlscaffold.adopt.detect import Found, detect
from mlscaffold.adopt.suggest import pick_table, suggest
from mlscaffold.checks.repository import ml_repository
from mlscaffold.errors import UserError

CHURN = Path("/somewhere/churn")


def found(folder: Path, files: dict[str, str], *local: str) -> Found:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return detect(ml_repository(folder), local)


def test_a_cookiecutter_tree(tmp_path: Path) -> None:
    files = {name: text for name, text in layouts.COOKIECUTTER.items() if text is not None}
    detected = found(tmp_path, files, "data/raw/customers.csv", "data/processed/x.csv")
    assert detected == Found(
        "cookiecutter-data-science",
        ("data", "features", "models", "src"),
        ("data/raw/customers.csv",),
        1,
        ("XGBoost", "scikit-learn"),
        (),
        (),
        ("requirements.txt", "setup.py"),
        licensed=True,
    )


def test_a_kedro_tree(tmp_path: Path) -> None:
    detected = found(tmp_path, dict(layouts.KEDRO), "data/01_raw/customers.csv", "data/02_intermediate/a.parquet")
    assert detected == Found(
        "kedro",
        ("shop",),
        ("data/01_raw/customers.csv",),
        0,
        ("PyTorch", "scikit-learn"),
        ("gitlab",),
        (),
        ("requirements.txt", "pyproject.toml"),
        licensed=False,
    )


def test_a_flat_folder(tmp_path: Path) -> None:
    detected = found(tmp_path, {**layouts.FLAT, "customers.csv": "a,b\n", "other.TSV": "a\tb\n"})
    assert (detected.layout, detected.packages, detected.notebooks) == ("flat", ("train",), 1)
    assert detected.tables == ("customers.csv", "other.TSV")
    assert detected.frameworks == ("scikit-learn",), "told from the imports of the script and of the notebook"


def test_a_package_with_ci_of_another_kind(tmp_path: Path) -> None:
    files = {"churn/__init__.py": "", "Jenkinsfile": "", ".github/workflows/a.yml": "", "tests/data/x.csv": "a\n"}
    detected = found(tmp_path, files)
    assert (detected.layout, detected.packages, detected.tables) == ("package", ("churn",), ())
    assert (detected.forges, detected.other_ci) == (("github",), ("Jenkins",))


def test_nothing_at_all(tmp_path: Path) -> None:
    assert found(tmp_path, {}) == Found("flat", (), (), 0, (), (), (), (), licensed=False)


def having(**parts: object) -> Found:
    empty = {"layout": "flat", "packages": (), "tables": (), "notebooks": 0, "frameworks": (), "forges": ()}
    return Found(**{**empty, "other_ci": (), "environment": (), "licensed": False, **parts})  # type: ignore[arg-type]


def test_a_package_of_the_teams_stays_and_another_name_is_chosen() -> None:
    suggested, notes = suggest(CHURN, {}, having(packages=("churn", "churn_product")), at_root=True)
    assert suggested == {"name": "churn", "package": "churn_product2"}
    assert "your own is called churn, and stays" in notes[0]
    with pytest.raises(UserError, match="choose another: -d package=NAME"):
        suggest(CHURN, {"package": "churn"}, having(packages=("churn",)), at_root=True)


@pytest.mark.parametrize(
    ("parts", "values", "at_root", "ci"),
    [
        ({"forges": ("gitlab",)}, {}, True, "gitlab"),
        ({"forges": ("github", "gitlab")}, {}, True, "both"),
        ({"other_ci": ("Jenkins",)}, {}, True, "none"),
        ({"forges": ("gitlab",)}, {}, False, "none"),
        ({"forges": ("gitlab",)}, {"ci": "github"}, True, None),
        ({}, {}, True, None),
    ],
)
def test_ci_follows_what_is_there(
    parts: dict[str, object], values: dict[str, str], at_root: bool, ci: str | None
) -> None:
    assert suggest(CHURN, values, having(**parts), at_root=at_root)[0].get("ci") == ci


def test_a_licence_of_the_teams_is_enough() -> None:
    assert suggest(CHURN, {}, having(licensed=True), at_root=True)[0]["license"] == "none"
    assert "license" not in suggest(CHURN, {"license": "MIT"}, having(licensed=True), at_root=True)[0]


def test_the_one_table_that_is_there_is_taken() -> None:
    one, two = having(tables=("a.csv",)), having(tables=tuple(f"{number}.csv" for number in range(7)))
    assert pick_table(CHURN, None, {}, one) == CHURN / "a.csv"
    assert pick_table(CHURN, Path("b.csv"), {}, two) == Path("b.csv")
    assert pick_table(CHURN, None, {"table": "example"}, two) is None
    assert pick_table(CHURN, None, {}, having()) is None
    with pytest.raises(UserError, match=r"there are 0.csv, .* and 2 more"):
        pick_table(CHURN, None, {}, two)
