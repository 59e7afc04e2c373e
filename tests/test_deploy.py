"""The alert rules and the dashboard: real PromQL, of metrics and labels that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from promql_parser import AggregateExpr, VectorSelector

from harken.client.cli import cli
from tests.docs.examples import REPOSITORY
from tests.system.test_metrics import documented

PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((REPOSITORY / "deploy" / "grafana" / "harken.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in PANELS
        for target in panel["targets"]
    },
}
# Prometheus' own, and those of every process that its client library instruments.
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
OF_THE_SCRAPE = {"job", "instance"}
PAGE = (REPOSITORY / "docs" / "observability.md").read_text()
EXPLAINED = re.findall(r"^\| `(Harken\w+)` \| .+? \| (.+) \|$", PAGE, re.MULTILINE)


def series() -> dict[str, set[str]]:
    """The labels of each series; a histogram has several of them."""
    found: dict[str, set[str]] = {name: set() for name in OTHERS}
    for name, (kind, labels) in documented().items():
        if kind == "histogram":
            found |= {f"{name}_sum": labels, f"{name}_count": labels}
            found[f"{name}_bucket"] = {*labels, "le"}
        else:
            found[name] = labels
    return found


def parts(expression: Any) -> Iterator[Any]:
    """All expressions within one, itself included."""
    yield expression
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        if (inner := getattr(expression, name, None)) is not None:
            yield from parts(inner)
    for argument in getattr(expression, "args", None) or ():
        yield from parts(argument)


def parsed(text: str) -> list[Any]:
    """The parts of a query; Grafana's own variable stands for a length of time."""
    return list(parts(promql_parser.parse(text.replace("$__rate_interval", "1m"))))


def test_what_is_no_promql_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parsed("sum by (queue harken_queue_workers")


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_query_asks_for_metrics_and_labels_that_there_are(name: str) -> None:
    known = series()
    query = parsed(EXPRESSIONS[name])
    selectors = [part for part in query if isinstance(part, VectorSelector)]
    assert selectors
    labels: set[str] = set()
    for selector in selectors:
        assert selector.name in known
        labels |= known[selector.name]
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= known[selector.name] | OF_THE_SCRAPE
    for part in query:
        if isinstance(part, AggregateExpr) and part.modifier is not None:
            assert set(part.modifier.labels) <= labels | OF_THE_SCRAPE


def test_every_metric_is_on_the_dashboard() -> None:
    """But those that others on it are made of."""
    asked = {
        part.name
        for panel in PANELS
        for target in panel["targets"]
        for part in parsed(target["expr"])
        if isinstance(part, VectorSelector)
    }
    shown = {re.sub(r"_(sum|count|bucket)$", "", name) for name in asked}
    missing = documented().keys() - shown
    assert missing == {
        "harken_queue_running_jobs",
        "harken_queue_workers",
        "harken_jobs_started_total",
    }


def test_the_panels_lie_side_by_side() -> None:
    places = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_every_alert_is_explained_and_no_other() -> None:
    assert [name for name, _ in EXPLAINED] == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_how_bad_it_is_and_what_is_wrong(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]


@pytest.mark.parametrize(("alert", "remedy"), EXPLAINED, ids=[name for name, _ in EXPLAINED])
def test_the_commands_of_a_remedy_are_harkens(alert: str, remedy: str) -> None:
    commands = re.findall(r"`harken ([a-z-]+)", remedy)
    known = cli.list_commands(cli.make_context("harken", [], resilient_parsing=True))
    assert set(commands) <= set(known)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed; where it is, this runs"
)
@pytest.mark.parametrize(
    "command", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml")]
)
def test_prometheus_own_tool_accepts_the_rules_and_they_fire_when_they_should(
    command: tuple[str, ...],
) -> None:
    run = subprocess.run(
        ["promtool", *command],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
