"""Alerts, their runbooks, their tests and the dashboard: none without the others, and none about what nobody measures.

That the rules do what they say is promtool's to tell: `make alerts`.
"""

import json
import re
from pathlib import Path

import pytest
import yaml
from mlproduct.config import Params
from mlproduct.monitoring import runbooks
from mlproduct.serving.metrics import METRICS

ROOT = Path(__file__).parents[1]
PROMETHEUS, GRAFANA, RUNBOOKS = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana", ROOT / "docs" / "runbooks"
SECTIONS = ["Meaning", "Impact", "Owner", "Diagnosis", "Mitigation", "Rollback", "Escalation"]  # of an alert's runbook
STEPS = ["When", "Owner", "Steps", "Rollback", "Escalation"]  # of a procedure's
OWN = {"up", "ALERTS"}  # metrics of Prometheus itself
WORDS = {"and", "or", "unless", "bool", "inf", "nan"}  # what is left of the language


def groups(name: str) -> list[dict]:
    return yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))["groups"]


ALERTS = [rule for group in groups("alerts.yaml") for rule in group["rules"]]
RECORDS = [rule for group in groups("rules.yaml") for rule in group["rules"]]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(RUNBOOKS.glob("*.md"))}
NAMES = {alert["alert"] for alert in ALERTS}
TESTS = [
    test
    for path in sorted((PROMETHEUS / "tests").glob("*.yaml"))
    for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
]
DASHBOARD = json.loads((GRAFANA / "dashboard.json").read_text(encoding="utf-8"))


def metrics(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression reads."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", " ", bare)  # label matchers, ranges
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\b\s*(\([^()]*\))?", " ", bare)
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    found = re.findall(r"(?<![\w:.$])([a-zA-Z_][\w:]*)\b(?!\s*\()", bare)
    return {name for name in found if name.lower() not in WORDS}


def queries() -> list[str]:
    """Return the expressions of the dashboard; label_values(metric, label) asks for a metric too."""
    targets = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    notes = [note["expr"] for note in DASHBOARD["annotations"]["list"]]
    variables = [variable["query"]["query"] for variable in DASHBOARD["templating"]["list"]]
    return targets + notes + [re.fullmatch(r"label_values\((.*), \w+\)", query)[1] for query in variables]


def asked(page: str) -> list[str]:
    return re.findall(r"--data-urlencode 'query=(.*?)'", page)


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        (
            'sum by (job) (rate(ml_a_total{x=~"ml_b|c"}[5m])) / on (job) group_left (model) job:ml_c:max',
            {"ml_a_total", "job:ml_c:max"},
        ),
        ("a:b:c > 0.8 or 0 * max(ml_d offset 15m)", {"a:b:c", "ml_d"}),
        ("max_over_time(timestamp(job:x > 0)[8d:5m]) unless ml_typo", {"job:x", "ml_typo"}),
    ],
)
def test_metrics_are_found_in_an_expression(expression: str, read: set[str]) -> None:
    assert metrics(expression) == read


def known() -> set[str]:
    return {rule["record"] for rule in RECORDS} | set(METRICS) | OWN


def test_every_rule_reads_what_is_exported_or_recorded() -> None:
    for rule in RECORDS + ALERTS:
        assert metrics(rule["expr"]) <= known(), rule.get("record") or rule["alert"]


def test_every_panel_reads_what_is_exported_or_recorded() -> None:
    for query in queries():
        assert metrics(query) <= known(), query


@pytest.mark.parametrize("page", PAGES)
def test_every_query_of_a_runbook_reads_what_is_exported_or_recorded(page: str) -> None:
    for query in asked(PAGES[page]):
        assert metrics(query) <= known(), query


def test_every_record_is_read_by_somebody() -> None:
    of_runbooks = [query for page in PAGES.values() for query in asked(page)]
    read = set().union(*map(metrics, [*(rule["expr"] for rule in RECORDS + ALERTS), *queries(), *of_runbooks]))
    assert {rule["record"] for rule in RECORDS} <= read


def test_every_objective_that_rules_ask_for_is_one_of_params_yaml() -> None:
    promised = dict(Params.load(ROOT / "params.yaml").objectives)
    wanted = {name for rule in RECORDS + ALERTS for name in re.findall(r'objective="(\w+)"', rule["expr"])}
    assert wanted <= set(promised)


def test_every_alert_has_a_runbook_and_every_runbook_of_that_form_an_alert() -> None:
    of_alerts = {name for name in PAGES if name[0].isupper()}  # procedures are lower case: roll-back.md
    assert of_alerts == NAMES


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}")
def test_an_alert_says_who_is_called_what_is_wrong_and_where_to_read_on(alert: dict) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert re.fullmatch(r"\d+[mh]", alert["for"])
    annotations = alert["annotations"]
    assert annotations["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    assert (ROOT / annotations["runbook_url"]).exists()
    assert annotations["summary"].strip()
    assert annotations["description"].strip()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_alert_is_tested_where_it_fires_and_where_it_stays_silent(name: str) -> None:
    looked = [look for test in TESTS for look in test.get("alert_rule_test", []) if look["alertname"] == name]
    fired = [found for look in looked for found in look["exp_alerts"]]
    assert any(not look["exp_alerts"] for look in looked), "no test in which it stays silent"
    severities = {alert["labels"]["severity"] for alert in ALERTS if alert["alert"] == name}
    assert {found["exp_labels"]["severity"] for found in fired} == severities


@pytest.mark.parametrize("page", PAGES)
def test_a_runbook_has_its_sections_and_commands_that_say_what_they_are(page: str) -> None:
    text = PAGES[page]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == (SECTIONS if page in NAMES else STEPS)
    assert not re.search(r"^## .*\n+(?=## |\Z)", text, re.MULTILINE), "a section without a word"
    kinds = [command.kind for command in runbooks.commands(page, text)]  # refuses a block that does not say
    assert runbooks.CHECK in kinds


@pytest.mark.parametrize("page", [*PAGES, "../on-call"])
def test_every_link_of_a_runbook_leads_somewhere(page: str) -> None:
    path = RUNBOOKS / f"{page}.md"
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_that_a_runbook_names_is_one_of_the_makefile(page: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in runbooks.commands(page, PAGES[page]):
        for words in re.findall(r"(?:^|&& )make ((?:[a-z-]+ ?)+)", command.text, re.MULTILINE):
            assert set(words.split()) <= verbs, command.text


def test_the_page_for_who_is_on_call_links_every_runbook_and_names_its_severities() -> None:
    text = (ROOT / "docs" / "on-call.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| ([\w, ]+) \|", text, re.MULTILINE)
    severities = {name: sorted(a["labels"]["severity"] for a in ALERTS if a["alert"] == name) for name in NAMES}
    assert {name: sorted(listed.split(", ")) for name, _, listed in rows} == severities
    assert all(name == page for name, page, _ in rows)
    assert {f"runbooks/{page}.md" for page in PAGES} <= set(re.findall(r"\((runbooks/[\w-]+\.md)\)", text))


def test_the_dashboard_asks_prometheus_alone_and_explains_itself() -> None:
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    datasource = (GRAFANA / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
    assert {panel["datasource"]["uid"] for panel in panels} == {yaml.safe_load(datasource)["datasources"][0]["uid"]}
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} >= {"job", "instance"}
    assert "http" not in json.dumps(DASHBOARD)


def test_no_panel_covers_another() -> None:
    covered: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & covered, panel["title"]
        covered |= cells


def test_prometheus_loads_these_rules() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text(encoding="utf-8"))
    assert {Path(name).name for name in config["rule_files"]} == {"rules.yaml", "alerts.yaml"}
    assert [scrape["job_name"] for scrape in config["scrape_configs"]]
