"""Evaluation: what is measured, and what it decides."""

import ast
import math
import re
from datetime import date, timedelta
from typing import Any

from . import code
from .data import CONTRACT, columns
from .repository import Repository, nodes, remembered
from .reproducibility import outputs, stages
from .sources import HIDDEN_DEBT, ML_TEST_SCORE, MODEL_CARDS, RULES_OF_ML
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, mappings, within

FAMILY = family("EV", "Evaluation", "Is the model measured where it can fail, and does the measurement decide?")
WAIVERS = "waivers.yaml"
LONGEST = timedelta(days=2 * 365)  # that a waiver may run
_TRACKERS = ("mlflow", "wandb", "neptune", "dvclive", "comet_ml", "aim")
_SPLITS = (
    "train_test_split", "TimeSeriesSplit", "GroupShuffleSplit", "ShuffleSplit", "KFold", "StratifiedKFold",
    "GroupKFold", "cross_val_score", "cross_validate", "test_size",
)  # fmt: skip
_GATES = re.compile(r"(^|/)test_\w*(quality|performance|verdict|gate|acceptance)\w*\.py$")
_GATED = ("compare", "slices", "bias", "drift", "fragility", "gates", "thresholds")
_SENSITIVE = re.compile(
    r"^(sex|gender|race|ethnicity|religion|nationality|disability|sexual_orientation)$", re.IGNORECASE
)
_INTERVALS = re.compile(r"\b(bootstrap\w*|confidence_interval|conf_int|mcnemar|ttest_\w+|wilcoxon|permutation_test)\b")


@FAMILY.rule(
    1, "high",
    why="A model whose metrics are not kept cannot be compared with the next.",
    source=ML_TEST_SCORE,
    fix="Let a stage of dvc.yaml write its metrics (`metrics:`), or log them with an experiment tracker.",
    needs="a Python file",
)  # fmt: skip
def metrics_kept(repository: Repository) -> Findings:
    """The metrics of each training are kept."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    staged = [path for stage in stages(repository).values() for path in outputs(stage, "metrics")]
    if staged or code.importing(repository, repository.python, *_TRACKERS):
        return []
    return [Finding("no stage writes metrics, and no tracker is used")]


@FAMILY.rule(
    2, "high",
    why="A model that is judged by rows it has learnt from looks perfect until it is used.",
    source=RULES_OF_ML,
    fix="Keep rows apart before training (by time where rows have one), and say how many in params.yaml.",
    needs="code that fits a model",
)  # fmt: skip
def rows_apart(repository: Repository) -> Findings:
    """Rows are kept apart for the evaluation."""
    if not code.trains(repository):
        return None
    share = _named(
        repository.yaml("params.yaml"), re.compile(r"^(test|holdout|validation|eval)_(size|share|fraction|ratio)$")
    )
    if share is not None:
        sound = isinstance(share, int | float) and (0 < share <= 0.5 or share > 1)
        return [] if sound else [Finding(f"the share of test rows is {share}", "params.yaml")]
    split = any(repository.holds(path, *_SPLITS) for path in repository.python)
    return [] if split else [Finding("nothing splits the rows")]


def _named(document: Any, pattern: re.Pattern[str]) -> Any:
    for name, value in mapping(document).items():
        if pattern.match(str(name)):
            return value
        if (found := _named(value, pattern)) is not None:
            return found
    return None


@FAMILY.rule(
    3, "high",
    why="A measurement that stops nothing is decoration: the bad model ships on the busy day.",
    source=ML_TEST_SCORE,
    fix="Write tests that fail where the model is too poor (ce/test_quality.py), and run them before packaging.",
    needs="code that fits a model",
)  # fmt: skip
def gates(repository: Repository) -> Findings:
    """Tests decide whether a model is good enough."""
    if not code.trains(repository):
        return None
    files = [path for path in repository.matching("*.py") if _GATES.search(path)]
    return (
        []
        if any(_tests(repository.text(path)) for path in files)
        else [Finding("no test looks at the quality of the model")]
    )


@remembered
def _tests(text: str) -> list[str]:
    return [node.name for node in nodes(text) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


def _measured(repository: Repository, words: str, *libraries: str) -> bool:
    pattern = re.compile(rf"(^|[^a-z])({words})", re.IGNORECASE)
    pipeline = stages(repository)
    if pipeline:
        return any(pattern.search(f"{name} {stage.get('cmd', '')}") for name, stage in pipeline.items())
    named = any(pattern.search(path) for path in repository.matching("*.py"))
    return named or bool(libraries and code.importing(repository, repository.python, *libraries))


@FAMILY.rule(
    4, "high",
    why="A good mean hides the group of customers for whom the model is useless.",
    source=ML_TEST_SCORE,
    fix="Measure each category and band of the important columns apart, in a stage of its own (slices).",
    needs="code that fits a model",
)  # fmt: skip
def slices(repository: Repository) -> Findings:
    """The model is measured in slices."""
    if not code.trains(repository):
        return None
    return [] if _measured(repository, "slices?|subgroup|segment") else [Finding("nothing measures slices")]


@FAMILY.rule(
    5, "high",
    why="What a model does to groups of people is unknown until it is measured, and a newspaper measures it too.",
    source=MODEL_CARDS,
    fix="Measure the differences between groups (fairlearn's MetricFrame) in a stage of its own, with a threshold.",
    needs="code that fits a model",
)  # fmt: skip
def bias(repository: Repository) -> Findings:
    """The model is measured for bias between groups."""
    if not code.trains(repository):
        return None
    return [] if _measured(repository, "bias|fair", "fairlearn", "aif360") else [Finding("nothing measures bias")]


@FAMILY.rule(
    6, "high",
    why="The world moves away from the training rows, and the model does not say so.",
    source=ML_TEST_SCORE,
    fix="Compare new rows with those the model learnt from, in a stage of its own, with a threshold.",
    needs="code that fits a model",
)  # fmt: skip
def drift(repository: Repository) -> Findings:
    """The data is measured for drift."""
    if not code.trains(repository):
        return None
    return (
        []
        if _measured(repository, "drift|shift", "evidently", "alibi_detect", "nannyml")
        else [Finding("nothing measures drift")]
    )


@FAMILY.rule(
    7, "medium",
    why="Broken rows arrive one day; what the model then does should have been seen before.",
    source=ML_TEST_SCORE,
    fix="Damage rows on purpose (missing, extreme, unseen) and say what must follow, in a stage of its own.",
    needs="code that fits a model",
)  # fmt: skip
def fragility(repository: Repository) -> Findings:
    """The model is tried with broken data."""
    if not code.trains(repository):
        return None
    return [] if _measured(repository, "fragil|robust|perturb|stress") else [Finding("nothing tries broken data")]


@FAMILY.rule(
    8, "high",
    why="'Better' means better than what runs today, on the same rows.",
    source=RULES_OF_ML,
    fix="Compare each candidate with the model of the last release on the same rows, in a stage of its own.",
    needs="code that fits a model",
)  # fmt: skip
def champion(repository: Repository) -> Findings:
    """A candidate is compared with the model that runs."""
    if not code.trains(repository):
        return None
    return (
        []
        if _measured(repository, "compar|champion|challenger")
        else [Finding("nothing compares with the model before")]
    )


@FAMILY.rule(
    9, "high",
    why="A gate that was opened for one release stays open.",
    source=HIDDEN_DEBT,
    fix="Give the threshold a number that can be missed; what is known to fail belongs into waivers.yaml.",
    needs="thresholds in params.yaml",
)  # fmt: skip
def gates_on(repository: Repository) -> Findings:
    """No gate is switched off."""
    params = mapping(repository.yaml("params.yaml"))
    found = {name: section for name in _GATED if (section := mapping(params.get(name)))}
    if not found:
        return None
    return [
        Finding(
            f"{section}.{name} is {value}: it never fails", "params.yaml", repository.line("params.yaml", f"  {name}: ")
        )
        for section, each in found.items()
        for name, value in each.items()
        if is_off(value)
    ]


def is_off(value: object) -> bool:
    """Whether a threshold of this value can never be missed."""
    if value is None or value is False:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and (not math.isfinite(value) or value >= 1e6)


@FAMILY.rule(
    10, "high",
    why="An exception without an owner and an end is a rule nobody knows of.",
    source=HIDDEN_DEBT,
    fix="Give each waiver reason, owner and expires; resolve what has expired, or renew it.",
    needs="a waiver",
)  # fmt: skip
def waivers(repository: Repository) -> Findings:
    """Waivers are owned and have not expired."""
    found = mappings(repository.yaml(WAIVERS))
    if not found:
        return None
    return [
        Finding(
            f"the waiver of {waiver.get('gate', 'a gate')} {wrong}",
            WAIVERS,
            repository.line(WAIVERS, "- "),
        )
        for waiver in found
        for wrong in faults(waiver)
    ]


def faults(waiver: dict[str, Any]) -> list[str]:
    """Return what is wrong with a waiver."""
    wrong = [f"has no {key}" for key in ("gate", "reason", "owner", "expires") if not waiver.get(key)]
    until = waiver.get("expires")
    if until and type(until) is not date:
        wrong.append(f"expires {str(until)[:40]!r}, which is not a date")
    elif until and until < date.today():
        wrong.append(f"has expired on {until}")
    elif until and until > date.today() + LONGEST:
        wrong.append(f"expires on {until}: more than {LONGEST.days // 365} years are no end")
    return wrong


@FAMILY.rule(
    11, "medium",
    why="A column that the law protects must not decide by oversight.",
    source=MODEL_CARDS,
    fix="Give it the role protected in contract.yaml; where it has to be a feature, write the decision down.",
    needs="a protected column, or one with a name like sex or religion",
)  # fmt: skip
def protected(repository: Repository) -> Findings:
    """Protected columns are no features."""
    found = columns(repository)
    names = [name for name, column in found.items() if column.get("role") == "protected" or _SENSITIVE.match(name)]
    if not names:
        return None
    allowed = items(within(repository.yaml("params.yaml"), "bias", "allow"))
    used = [
        Finding(f"bias.allow makes {name} a feature", "params.yaml", repository.line("params.yaml", "allow:"))
        for name in allowed
    ]
    features = [name for name in names if found[name].get("role") == "feature"]
    return used + [
        Finding(f"{name} is a feature", CONTRACT, repository.line(CONTRACT, f"{name}:")) for name in features
    ]


@FAMILY.rule(
    12, "medium",
    why="A number says nothing until it is known what guessing scores.",
    source=RULES_OF_ML,
    fix="Score DummyClassifier or DummyRegressor, or a plain rule, on the same rows and show it beside the model.",
    needs="code that fits a model",
)  # fmt: skip
def baseline(repository: Repository) -> Findings:
    """The model is compared with guessing."""
    if not code.trains(repository) or repository.hidden:
        return None
    words = re.compile(r"\b(Dummy(Classifier|Regressor)|baselines?)\b")
    return [] if any(repository.finds(path, words) for path in repository.code) else [Finding("there is no baseline")]


@FAMILY.rule(
    13, "medium",
    why="Of two equally good models one is always ahead by chance.",
    source=ML_TEST_SCORE,
    fix="Put an interval on each metric (bootstrap), and decide by the interval.",
    needs="code that fits a model",
)  # fmt: skip
def intervals(repository: Repository) -> Findings:
    """Metrics come with intervals."""
    if not code.trains(repository) or repository.hidden:
        return None
    return (
        []
        if any(repository.finds(path, _INTERVALS) for path in repository.code)
        else [Finding("no metric has an interval")]
    )
