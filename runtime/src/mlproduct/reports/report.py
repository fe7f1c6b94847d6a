"""What people read: plots of the last evaluation, and the model card that holds its numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.artifacts import META, METRICS, MODEL_CARD, VERDICT
from mlproduct.config import Params, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN
from mlproduct.evaluation.metrics import HEADLINE
from mlproduct.evaluation.predictions import read_predictions
from mlproduct.reports.rendering import render
from mlproduct.reports.sections import Section

REPORTS = Path("reports")
POINTS = 200  # of a curve that DVC draws
INK, PAPER, LINE, SECOND = "#222222", "#ffffff", "#0072b2", "#d55e00"  # of Okabe and Ito (2008), for the colour-blind
AXES = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "precision_recall": ("recall", "precision"),
    "calibration": ("predicted", "observed"),
}
STYLES = [("-", "o"), ("--", "s"), ("-.", "^"), (":", "D")]  # and without colour at all


def one_by_one(contract: Contract) -> list[str]:
    """Return the classes to draw one against the rest: the positive one, or the first four; none of a regression."""
    return [str(contract.positive)] if contract.positive is not None else [str(label) for label in contract.labels[:4]]


def calibrated(predicted: Any, observed: Any) -> list[tuple[float, float]]:
    """Return the mean predicted and observed values in ten groups of equal size; equal scores stay together."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, 11)[1:-1]))
    rows = pd.DataFrame({"predicted": np.asarray(predicted, "float64"), "observed": np.asarray(observed, "float64")})
    means = rows.groupby(np.searchsorted(edges, rows["predicted"])).mean()
    return [(float(a), float(b)) for a, b in means.to_numpy()]


def curves(predictions: pd.DataFrame, labels: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Compute ROC, precision-recall, calibration (ten bins of equal size) and confusion, each as rows for DVC's plots.

    Parameters
    ----------
    predictions : DataFrame
        As `Evaluation.predictions`.
    labels : list of str
        The classes to draw, one against the rest.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    sample = predictions.sample(min(1000, len(predictions)), random_state=1).sort_index()  # the file is kept in git
    confusion = [{"truth": str(t), "prediction": str(p)} for t, p in sample[["truth", "prediction"]].to_numpy()]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in AXES} | {"confusion": confusion}
    for label in labels:
        hit, p = (predictions["truth"] == label).to_numpy(), predictions[f"p {label}"].to_numpy()
        if not 0 < hit.sum() < len(hit):
            continue
        falsely, truly, _ = roc_curve(hit, p)
        precision, recall, _ = precision_recall_curve(hit, p)
        predicted, observed = np.transpose(calibrated(p, hit))
        for name, points in (
            ("roc", (falsely, truly)),
            ("precision_recall", (recall, precision)),
            ("calibration", (predicted, observed)),
        ):
            found[name] += _points(label, AXES[name], points)
    return found


def _points(label: str, axes: tuple[str, str], points: tuple[Any, Any]) -> list[dict[str, Any]]:
    chosen = np.unique(np.linspace(0, len(points[0]) - 1, min(POINTS, len(points[0]))).round().astype(int))
    return [
        {"class": label} | {axis: round(float(values[i]), 5) for axis, values in zip(axes, points, strict=True)}
        for i in chosen
    ]


def draw_classification(predictions: pd.DataFrame, contract: Contract) -> None:
    """Draw curves.png and confusion.png; write the points beside them."""
    labels = [str(label) for label in contract.labels]
    shown = one_by_one(contract)
    points = curves(predictions, shown)
    for name, rows in points.items():
        (REPORTS / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False) + "\n", encoding="utf-8")
    figure, axes = _figure(3)
    titles = {"roc": "ROC", "precision_recall": "Precision and recall", "calibration": "Calibration"}
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        table = pd.DataFrame(points[name], columns=["class", *AXES[name]])
        for i, label in enumerate(shown):
            x, y = table.loc[table["class"] == label, list(AXES[name])].to_numpy().T
            style, marker = STYLES[i % len(STYLES)]
            axis.plot(x, y, style, marker=marker, markevery=max(1, len(x) // 8), markersize=4, label=label)
        if name != "precision_recall":
            axis.plot([0, 1], [0, 1], color="#999999", linewidth=1, label="chance" if name == "roc" else "perfect")
        across, up = (axis_name.replace("_", " ") for axis_name in AXES[name])
        axis.set(title=title, xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1.02))
        axis.legend(loc="best", fontsize="small")
    _save(figure, "curves.png")
    _draw_confusion(predictions, labels)


def _draw_confusion(predictions: pd.DataFrame, labels: list[str]) -> None:
    common = predictions["truth"].value_counts().index[:12]  # more cannot be read
    shown = [label for label in labels if label in set(common)]
    table = pd.crosstab(predictions["truth"], predictions["prediction"])
    table = table.reindex(index=shown, columns=shown, fill_value=0)
    share = table.div(table.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    figure, (axis,) = _figure(1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(share.shape):
        axis.text(j, i, f"{table.iloc[i, j]}\n{share[i, j]:.0%}", ha="center", va="center", fontsize="small",
                  color=PAPER if share[i, j] > 0.6 else INK)  # fmt: skip
    axis.set(title="Confusion (rows, share of the true class)", xlabel="predicted", ylabel="true")
    axis.set_xticks(range(len(shown)), shown, rotation=30, ha="right")
    axis.set_yticks(range(len(shown)), shown)
    _save(figure, "confusion.png")


def draw_regression(predictions: pd.DataFrame, contract: Contract) -> None:
    """Draw residuals.png; write a sample of the residuals beside it."""
    sample = predictions[["truth", "prediction"]].sample(min(1000, len(predictions)), random_state=1).sort_index()
    sample = sample.assign(residual=sample["truth"] - sample["prediction"]).round(6)
    (REPORTS / "residuals.json").write_text(json.dumps(sample.to_dict("records")) + "\n", encoding="utf-8")
    figure, axes = _figure(2)
    axes[0].scatter(sample["prediction"], sample["truth"], s=10, color=LINE, alpha=0.6)
    ends = [sample[["truth", "prediction"]].min().min(), sample[["truth", "prediction"]].max().max()]
    axes[0].plot(ends, ends, color=SECOND, linestyle="--", label="perfect")
    axes[0].set(title=f"{contract.target}: true against predicted", xlabel="predicted", ylabel="true")
    axes[0].legend(loc="best", fontsize="small")
    axes[1].hist(sample["residual"], bins=30, color=LINE, edgecolor=PAPER)
    axes[1].set(title="Residuals (true - predicted)", xlabel="residual", ylabel="rows")
    _save(figure, "residuals.png")


def _figure(n: int) -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["text.parse_math"] = False  # a class may be named `<$50K`
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, n, figsize=(4.2 * n + 0.8, 4.2), layout="constrained", squeeze=False)
    for axis in axes[0]:
        axis.set_prop_cycle(color=[LINE, SECOND, "#009e73", "#cc79a7"])
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes[0]


def _save(figure: Any, name: str) -> None:
    # without the library's version in it, the file changes only when the picture does
    figure.savefig(REPORTS / name, dpi=110, metadata={"Software": None})


def model_card(
    metrics: dict[str, dict[str, float]],
    contract: Contract,
    meta: dict[str, Any],
    params: Params,
    rows: tuple[int, int],
    verdict: dict[str, Any],
    sections: Sequence[Section] = (),
    own_split: bool = False,
) -> str:
    """Render the model card in Markdown: what it is, how good it is, what it was made from, where it ends."""
    name, more_is_better = HEADLINE[contract.task]
    return render(
        "model-card.md",
        contract=contract,
        meta=meta,
        params=params,
        verdict=verdict,
        sections=sections,
        own_split=own_split,
        metrics={name: found for name, found in metrics.items() if found["value"] is not None},
        headline=name,
        best=metrics[name],
        better=_better(metrics[name], more_is_better),
        trained=rows[0],
        tested=rows[1],
        pictures=("curves.png", "confusion.png") if contract.labels else ("residuals.png",),
    )


def _better(found: dict[str, float], more_is_better: bool) -> bool:
    """Say whether the interval of a metric lies on the better side of the baseline."""
    if found["value"] is None:
        return False
    return found["low"] > found["baseline"] if more_is_better else found["high"] < found["baseline"]


def write(sections: Sequence[Section] = (), own_split: bool = False) -> None:
    """Write the plots and points in reports/, and docs/model-card.md.

    Parameters
    ----------
    sections : sequence of Section
        The team's own.
    own_split : bool
        Whether the team's own function chose the test rows.
    """
    contract, params = load()
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    meta = json.loads(META.read_text(encoding="utf-8"))
    verdict = json.loads(VERDICT.read_text(encoding="utf-8"))
    predictions = read_predictions()
    (draw_classification if contract.labels else draw_regression)(predictions, contract)
    rows = len(pd.read_parquet(TRAIN, columns=[])), len(pd.read_parquet(TEST, columns=[]))
    MODEL_CARD.parent.mkdir(exist_ok=True)
    card = model_card(metrics, contract, meta, params, rows, verdict, sections, own_split)
    MODEL_CARD.write_text(card, encoding="utf-8")
