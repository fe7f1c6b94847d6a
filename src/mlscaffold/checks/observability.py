"""Observability: is somebody told, about the right thing, with what to do."""

import re
from pathlib import PurePosixPath
from typing import Any

from . import rules
from .repository import Repository
from .service import services
from .sources import ML_TEST_SCORE, PROMETHEUS_RULES, PROMTOOL, SRE_ALERTS, SRE_ON_CALL
from .standard import Finding, Findings, family
from .untrusted_yaml import items, within

FAMILY = family("OB", "Observability", "Is somebody told, about the right thing, with what to do?")
_ABOUT_MODEL = re.compile(r"drift|psi|null|unseen|stale|model_age|label|loss|accuracy|score", re.IGNORECASE)
_ABOUT_SERVICE = re.compile(r"error|5\.\.|status|latency|seconds|duration|up\b|availab", re.IGNORECASE)
_RUNBOOKS = ("*runbooks/*.md", "*runbook/*.md")
_SECTIONS = ("diagnos", "mitigat", "escalat")
_ALERT_NAME = re.compile(r"^[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+$")


@FAMILY.rule(
    1, "high",
    why="A model fails in silence: wrong answers have status 200.",
    source=ML_TEST_SCORE,
    fix="Write alerting rules for Prometheus on errors, latency, drift and the age of the model.",
    needs="a service or an alert",
)  # fmt: skip
def alerted(repository: Repository) -> Findings:
    """Alerts watch the service."""
    found = rules.alerts(repository)
    if not found and not services(repository):
        return None
    return (
        []
        if any(_ABOUT_SERVICE.search(rule.expression) for rule in found)
        else [Finding("no alert is about errors or latency")]
    )


@FAMILY.rule(
    2, "high",
    why="Errors and latency stay green while the predictions are wrong.",
    source=ML_TEST_SCORE,
    fix="Alert on drift of features and scores, missing values, late labels and an old model.",
    needs="a service or an alert",
)  # fmt: skip
def model_alerted(repository: Repository) -> Findings:
    """Alerts watch data and model, not the service alone."""
    found = rules.alerts(repository)
    if not found and not services(repository):
        return None
    return (
        []
        if any(_ABOUT_MODEL.search(rule.expression) for rule in found)
        else [Finding("no alert is about data or model")]
    )


@FAMILY.rule(
    3, "high",
    why="Who is woken by an alert without a runbook has to work out at night what it means.",
    source=SRE_ON_CALL,
    fix="Write docs/runbooks/NAME.md for the alert NAME and name it in annotations.runbook_url.",
    needs="an alert",
)  # fmt: skip
def runbooks(repository: Repository) -> Findings:
    """Each alert has a runbook."""
    found = rules.alerts(repository)
    if not found:
        return None
    stems = {PurePosixPath(path).stem for path in repository.matching(*_RUNBOOKS)}
    return [
        Finding(f"{rule.name} has no runbook", rule.path, repository.line(rule.path, f"alert: {rule.name}"))
        for rule in _once(found)
        if rule.name not in stems and not _leads_somewhere(repository, rule)
    ]


def _once(found: list[rules.Rule]) -> list[rules.Rule]:
    return list({rule.name: rule for rule in reversed(found)}.values())[::-1]


def _leads_somewhere(repository: Repository, rule: rules.Rule) -> bool:
    url = str(within(rule.settings, "annotations", "runbook_url"))
    return url.startswith(("https://", "http://")) or url in repository.known


@FAMILY.rule(
    4, "low",
    why="A runbook of an alert that is gone sends people the wrong way.",
    source=SRE_ON_CALL,
    fix="Delete the runbook, or bring the alert back.",
    needs="a runbook with the name of an alert",
)  # fmt: skip
def no_lost_runbooks(repository: Repository) -> Findings:
    """Each runbook named like an alert has its alert."""
    paths = [path for path in repository.matching(*_RUNBOOKS) if _ALERT_NAME.match(PurePosixPath(path).stem)]
    if not paths:
        return None
    names = {rule.name for rule in rules.alerts(repository)}
    return [Finding("no alert has its name", path) for path in paths if PurePosixPath(path).stem not in names]


@FAMILY.rule(
    5, "medium",
    why="A runbook that stops at 'look at the logs' leaves the reader where the alert had put them.",
    source=SRE_ON_CALL,
    fix="Give each runbook the sections Diagnosis, Mitigation and Escalation, with commands.",
    needs="a runbook of an alert",
)  # fmt: skip
def runbooks_complete(repository: Repository) -> Findings:
    """Runbooks say how to diagnose, fix and escalate."""
    names = {rule.name for rule in rules.alerts(repository)}
    paths = [path for path in repository.matching(*_RUNBOOKS) if PurePosixPath(path).stem in names]
    if not paths:
        return None
    titles = {path: " ".join(re.findall(r"^#+ .*", repository.text(path), re.MULTILINE)).lower() for path in paths}
    return [
        Finding(f"has no section on {word}ing", path)
        for path in paths
        for word in _SECTIONS
        if word not in titles[path]
    ]


@FAMILY.rule(
    6, "high",
    why="An alert that has never fired in a test may never fire, or always.",
    source=PROMTOOL,
    fix="Write a promtool test (alert_rule_test) where it fires, and one with exp_alerts: [] where it stays silent.",
    needs="an alert",
)  # fmt: skip
def alerts_tested(repository: Repository) -> Findings:
    """Each alert is tested, firing and silent."""
    found = rules.alerts(repository)
    if not found:
        return None
    tested = set(rules.expectations(repository))
    ways = {True: "fires", False: "stays silent"}
    return [
        Finding(f"no test where {rule.name} {way}", rule.path, repository.line(rule.path, f"alert: {rule.name}"))
        for rule in _once(found)
        for fires, way in ways.items()
        if (rule.name, fires) not in tested
    ]


@FAMILY.rule(
    7, "medium",
    why="An alert without a severity wakes everybody or nobody; one without a summary says only that something is.",
    source=SRE_ALERTS,
    fix="Give each alert labels.severity, annotations.summary and a time it must hold (for).",
    needs="an alert",
)  # fmt: skip
def alerts_complete(repository: Repository) -> Findings:
    """Each alert says how urgent it is and what it means."""
    found = rules.alerts(repository)
    if not found:
        return None
    return [
        Finding(f"{rule.name} has no {lack}", rule.path, repository.line(rule.path, f"alert: {rule.name}"))
        for rule in found
        for lack in _lacks(rule.settings)
    ]


def _lacks(settings: dict[str, Any]) -> list[str]:
    required = {
        "severity": within(settings, "labels", "severity"),
        "summary": within(settings, "annotations", "summary"),
        "for": settings.get("for"),
    }
    return [name for name, value in required.items() if value is None]


@FAMILY.rule(
    8, "high",
    why="An expression over a metric that nobody exports is always silent, and looks like peace.",
    source=PROMETHEUS_RULES,
    fix="Correct the name, or export the metric; a rename belongs into code, rules and dashboard at once.",
    needs="a rule of Prometheus",
)  # fmt: skip
def metrics_exist(repository: Repository) -> Findings:
    """All metrics of the rules exist."""
    found = [*rules.alerts(repository), *rules.recorded(repository)]
    if not found or repository.hidden:
        return None
    metrics = [(rule, rules.metrics(rule.expression)) for rule in found]
    lost = rules.unknown(repository, set().union(*(names for _, names in metrics)))
    return [
        Finding(f"{rule.name} asks for {metric}, which nothing exports", rule.path, repository.line(rule.path, metric))
        for rule, names in metrics
        for metric in sorted(names & lost)
    ]


@FAMILY.rule(
    9, "medium",
    why="An empty panel is taken for a quiet one.",
    source=PROMETHEUS_RULES,
    fix="Correct the query of the panel, or export the metric.",
    needs="a dashboard of Grafana with queries",
)  # fmt: skip
def panels_exist(repository: Repository) -> Findings:
    """All metrics of the dashboards exist."""
    metrics = [
        (path, rules.metrics(query))
        for path in repository.containing('"expr"', "*.json")
        for query in _queries(repository.json(path))
    ]
    if not metrics or repository.hidden:
        return None
    lost = rules.unknown(repository, set().union(*(names for _, names in metrics)))
    found = sorted({(path, metric) for path, names in metrics for metric in names & lost})
    return [
        Finding(f"asks for {metric}, which nothing exports", path, repository.line(path, metric))
        for path, metric in found
    ]


def _queries(body: Any) -> list[str]:
    if isinstance(body, list):
        return [query for each in body for query in _queries(each)]
    if not isinstance(body, dict):
        return []
    own = [body["expr"]] if isinstance(body.get("expr"), str) else []
    return own + [query for each in body.values() for query in _queries(each)]


@FAMILY.rule(
    10, "medium",
    why="A file of rules that Prometheus does not load alerts nobody.",
    source=PROMETHEUS_RULES,
    fix="Name it under rule_files of prometheus.yaml.",
    needs="a configuration of Prometheus and files of rules",
)  # fmt: skip
def rules_loaded(repository: Repository) -> Findings:
    """Prometheus loads every file of rules."""
    configs = repository.containing("scrape_configs:", "*prometheus*.yaml", "*prometheus*.yml")
    files = rules.rule_files(repository)
    if not configs or not files:
        return None
    loaded = {
        (PurePosixPath(path).parent / str(name)).as_posix()
        for path in configs
        for name in items(within(repository.yaml(path), "rule_files"))
    }
    whole = [PurePosixPath(file) for file in files]
    return [
        Finding("no configuration loads it", str(file))
        for file in whole
        if not any(file.match(pattern) for pattern in loaded)
    ]


@FAMILY.rule(
    11, "medium",
    why="Without what was predicted, a complaint cannot be answered and the live quality cannot be known.",
    source=ML_TEST_SCORE,
    fix="Write each prediction with an id, the version of the model and the score, and join the outcome to it later.",
    needs="a service",
)  # fmt: skip
def predictions_kept(repository: Repository) -> Findings:
    """Predictions are logged with an id."""
    if not services(repository) or repository.hidden:
        return None
    word = re.compile(r"prediction_id|predictionId|inference_id|request_id")
    return (
        [] if any(repository.finds(path, word) for path in repository.code) else [Finding("no prediction gets an id")]
    )
