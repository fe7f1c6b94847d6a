"""What Prometheus is told: alerts, recording rules, their tests, and the metrics that an expression asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .repository import Repository, remembered
from .untrusted_yaml import items, mappings, within

_YAML = ("*.yaml", "*.yml")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_LABELS = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"\[[^\[\]]*\]")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()(?![a-zA-Z0-9_:])")
_WORDS = {
    "and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "inf",
    "nan", "start", "end", "atan2",
}  # fmt: skip
# What Prometheus and its usual exporters bring themselves.
_BUILT_IN = re.compile(
    r"^(up|ALERTS|ALERTS_FOR_STATE|absent|scrape_.*|prometheus_.*|process_.*|python_.*|kube_.*|container_.*|node_.*|go_.*)$"
)
_NAMED = re.compile(r"""(["'])([a-zA-Z_:][a-zA-Z0-9_:]*)(?=\1)""")
_SUFFIX = re.compile(r"_(bucket|sum|count|total|created|info)$")


@dataclass(frozen=True)
class Rule:
    """An alert or a recorded series: where it stands, and all that it says."""

    path: str
    name: str
    settings: dict[str, Any]

    @property
    def expression(self) -> str:
        """The query."""
        return str(self.settings.get("expr", ""))


def alerts(repository: Repository) -> list[Rule]:
    """Return every alert."""
    return list(_rules(repository, "alert"))


def recorded(repository: Repository) -> list[Rule]:
    """Return every recording rule."""
    return list(_rules(repository, "record"))


def _rules(repository: Repository, kind: str) -> Iterator[Rule]:
    for path in rule_files(repository):
        for group in mappings(within(repository.yaml(path), "groups")):
            for rule in mappings(group.get("rules")):
                if rule.get(kind):
                    yield Rule(path, str(rule[kind]), rule)


def rule_files(repository: Repository) -> list[str]:
    """Return the files of rules."""
    return [path for path in repository.containing("groups:", *_YAML) if items(within(repository.yaml(path), "groups"))]


def test_files(repository: Repository) -> list[str]:
    """Return the files that promtool tests with."""
    found = repository.containing("alert_rule_test", *_YAML)
    return [path for path in found if items(within(repository.yaml(path), "tests"))]


def expectations(repository: Repository) -> Iterator[tuple[str, bool]]:
    """Give each alert that a test looks at, and whether it is to fire there."""
    for path in test_files(repository):
        for test in mappings(within(repository.yaml(path), "tests")):
            for case in mappings(test.get("alert_rule_test")):
                yield str(case.get("alertname", "")), bool(case.get("exp_alerts"))


@remembered
def metrics(expression: str) -> frozenset[str]:
    """Return the metrics that a query asks for, without those that Prometheus brings itself."""
    bare = _QUOTED.sub('""', re.sub(r"#.*", "", expression))
    for pattern in (_LABELS, _RANGE, _GROUPING):
        bare = pattern.sub(" ", bare)
    bare = re.sub(r"\$\w+|(?<![\w:.])\d+(\.\d+)?([eE][+-]?\d+|[smhdwy])?\b", " ", bare)
    names = set(_NAME.findall(bare))
    return frozenset(name for name in names if name.lower() not in _WORDS and not _BUILT_IN.match(name))


def unknown(repository: Repository, used: set[str]) -> set[str]:
    """Return the metrics among some that no rule records and no module exports."""
    written = {rule.name for rule in recorded(repository)}
    left = used - written
    exported = set().union(*(_quoted(repository.text(path)) for path in repository.code)) if left else set()
    # A client library adds the suffix of a counter or a histogram itself.
    return {name for name in left if not {name, _SUFFIX.sub("", name)} & exported}


@remembered
def _quoted(source: str) -> frozenset[str]:
    return frozenset(match[2] for match in _NAMED.finditer(source))
