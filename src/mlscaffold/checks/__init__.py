"""The checks of machine-learning repositories, as plugin of repo-review."""

from collections.abc import Mapping
from typing import Any

from . import (
    data,
    delivery,
    evaluation,
    layout,
    observability,
    ownership,
    reproducibility,
    service,
    supply,
    versions,
)
from .standard import Check, Family

FAMILIES: tuple[Family, ...] = tuple(
    module.FAMILY
    for module in (
        layout, data, reproducibility, evaluation, service, observability, delivery, supply, ownership, versions,
    )
)  # fmt: skip
CHECKS: dict[str, Check] = {check.id: check for family in FAMILIES for check in family.checks}


def repo_review_checks(pyproject: Mapping[str, Any]) -> dict[str, Check]:
    """Give repo-review the checks, without those that pyproject.toml ignores with a reason."""
    ignored = pyproject.get("tool", {}).get("mlscaffold", {}).get("check", {}).get("ignore", {})
    return {name: check for name, check in CHECKS.items() if name not in ignored}


def repo_review_families() -> dict[str, dict[str, Any]]:
    """Give repo-review the families, in our order."""
    return {
        family.letters: {"name": family.name, "order": order, "description": family.about}
        for order, family in enumerate(FAMILIES)
    }
