"""`mlproduct.open()` in a notebook of a generated repository: rows, model and predictions from any of its folders."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.heavy]

Run = Callable[..., subprocess.CompletedProcess[str]]
NOTEBOOK = "notebooks/explore.ipynb"

ANSWERS = """
import json
from pathlib import Path
import pandas as pd
import mlproduct
from mlproduct.inference.predict import Predictor
from mlproduct.inference.request import Reader, examples

project = mlproduct.open()
assert project.root == Path.cwd().parent, project.root
raw = pd.read_csv(project.root / "data" / "raw.csv").rename(index=lambda row: f"penguin {row}")
answers = project.predict(raw)
assert list(answers.index) == list(raw.index)
assert list(answers.columns) == ["prediction", *(f"probability_{name}" for name in project.contract.labels)]

rows = project.rows()  # what the service answers, asked as a caller asks it
reader = Reader(project.contract, len(rows))
folder = project.root / "models"
service = Predictor.load(project.contract, folder, project.root / "trusted-types.yaml")
told = service.predict(reader.read({"records": examples(project.contract, rows)}).records)
assert answers["prediction"].tolist() == [one.prediction for one in told]
frame = pd.DataFrame([one.probabilities for one in told], index=answers.index).add_prefix("probability_")
pd.testing.assert_frame_equal(answers.drop(columns="prediction"), frame, check_exact=True)

assert len(project.train_rows()) + len(project.test_rows()) == len(rows) == len(project.raw_rows())
test = project.test_rows()
features = project.contract.features
assert (project.model.predict(test[features]) == answers.iloc[test.index - 1]["prediction"]).all()
assert project.metrics.loc["roc_auc", "value"] > 0.9
journal = project.journal()
assert journal["hypothesis"].tolist() == ["the first"]
assert journal["params.model.max_iter"].iloc[-1] == project.params.model.max_iter
assert project.predict(raw.head(0)).shape == (0, answers.shape[1])
assert mlproduct.open(project.root / "src").root == project.root
"""
SCRIPTS = {
    "a column is missing": ("project.predict(raw.drop(columns='body_mass_g'))", "the rows lack 'body_mass_g'"),
    "a value is not a number": ("project.predict(raw.assign(body_mass_g='heavy'))", "'body_mass_g': is not an integer"),
    "an unknown category": ("project.predict(raw.assign(island='Atlantis'))", "holds an unknown category"),
    "no frame": ("project.predict({'island': 'Dream'})", "predict takes a DataFrame"),
    "no repository": ("mlproduct.open('/')", "not inside a product repository"),
    "no folder": ("mlproduct.open('nowhere')", "there is no folder nowhere"),
}


@pytest.fixture(scope="module")
def run(project: Path, environment: Path) -> Run:
    """Run Python code in the folder of the notebooks, with the shared environment."""

    def running(code: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(environment / "bin" / "python"), "-c", code],
            cwd=project / "notebooks", capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return running


def test_predictions_from_raw_rows_are_the_service_s(run: Run) -> None:
    run(ANSWERS)


@pytest.mark.parametrize("fault", SCRIPTS)
def test_an_error_names_the_true_cause(run: Run, fault: str) -> None:
    code, message = SCRIPTS[fault]
    head = "import pandas as pd, mlproduct; project = mlproduct.open(); raw = pd.read_csv('../data/raw.csv'); "
    done = run(head + code, check=False)
    assert done.returncode == 1
    assert "DataError" in done.stderr
    assert message in done.stderr


def test_without_a_model_the_error_names_the_verb_that_makes_one(run: Run, project: Path) -> None:
    model = project / "models" / "model.skops"
    away = model.rename(model.with_suffix(".away"))
    try:
        done = run("import mlproduct; mlproduct.open().model", check=False)
    finally:
        away.rename(model)
    assert "there is no models/model.skops" in done.stderr
    assert "`make train` makes it" in done.stderr


def test_the_examples_of_the_docstrings_run(run: Run) -> None:
    run("import doctest, mlproduct.project as tested; assert doctest.testmod(tested).failed == 0")


def test_the_cells_of_the_notebook_run_in_order(run: Run, project: Path) -> None:
    document = json.loads((project / NOTEBOOK).read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 5
    plotted = "assert plt.gcf().axes[0].has_data(), 'nothing was plotted'"
    run("\n".join(["import matplotlib; matplotlib.use('agg')", *cells, plotted]))


def test_outputs_are_removed_and_the_hook_fails_then(project: Path, environment: Path) -> None:
    path = project / NOTEBOOK
    clean = path.read_text(encoding="utf-8")
    document = json.loads(clean)
    document["cells"][1] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["secret"]}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    strip = [str(environment / "bin" / "mlproduct"), "strip", NOTEBOOK]
    first = subprocess.run(strip, cwd=project, capture_output=True, text=True, check=False)
    assert (first.returncode, path.read_text(encoding="utf-8")) == (1, clean), first.stderr
    assert "explore.ipynb: outputs removed" in first.stdout
    assert subprocess.run(strip, cwd=project, check=False).returncode == 0
    (project / "notebooks/broken.ipynb").write_text("no JSON", encoding="utf-8")
    broken = subprocess.run(
        [*strip, "notebooks/broken.ipynb"], cwd=project, capture_output=True, text=True, check=False
    )
    assert broken.returncode == 2
    assert "is not a notebook" in broken.stderr
