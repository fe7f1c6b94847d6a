"""The checks of machine-learning repositories, as plugin of repo-review."""

from collections.abc import Mapping
from typing import Any

from . import (
    data,
    delivery,
    evaluation,
    judges,  # the family of `integrity`
    layout,
    observability,
    organisation,
    ownership,
    reproducibility,
    service,
    supply,
    versions,
)
from .repository import Repository
from .standard import Check, Family

FAMILIES: tuple[Family, ...] = tuple(
    module.FAMILY
    for module in (
        layout, data, reproducibility, evaluation, judges, service, observability, delivery, supply, ownership,
        versions,
    )
)  # fmt: skip
CHECKS: dict[str, Check] = {check.id: check for family in FAMILIES for check in family.checks}


def repo_review_checks(pyproject: Mapping[str, Any], ml_repository: Repository) -> dict[str, Check]:
    """Give repo-review the checks, those of overlays too, without those that pyproject.toml ignores with a reason."""
    ignored = pyproject.get("tool", {}).get("mlscaffold", {}).get("check", {}).get("ignore", {})
    checks = {**CHECKS, **organisation.checks_of(ml_repository)}
    return {name: check for name, check in checks.items() if name not in ignored}


def repo_review_families(ml_repository: Repository) -> dict[str, dict[str, Any]]:
    """Give repo-review the families, in our order; that of the overlays where the repository has checks of theirs."""
    families = (*FAMILIES, organisation.FAMILY) if organisation.checks_of(ml_repository) else FAMILIES
    return {
        family.letters: {"name": family.name, "order": order, "description": family.about}
        for order, family in enumerate(families)
    }
