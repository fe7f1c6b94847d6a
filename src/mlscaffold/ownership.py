"""Which files of a repository belong to its team: the template's table, and the team's own, each with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FROM_THE_START = "the team's own from the first day"


@dataclass(frozen=True)
class Ownership:
    """Patterns of files that may differ from the template, as .gitignore writes them, and why.

    Attributes
    ----------
    reasons : mapping
        Why, by pattern; a later pattern goes before an earlier one.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)

    def reason(self, path: str) -> str:
        """Return why a file may differ; empty where it may not."""
        return next((why for spec, why in self._specs if spec.match_file(path)), "")

    @cached_property
    def _specs(self) -> "list[tuple[GitIgnoreSpec, str]]":
        return [(_spec(pattern), why) for pattern, why in reversed(list(self.reasons.items()))]


def _spec(pattern: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        raise UserError(f"{pattern!r} is not a file pattern; write it as in .gitignore, for instance /docs/") from None


def read_template_rules(config: Mapping[str, Any]) -> dict[str, str]:
    """Read the template's rules (`_skip_if_exists`, `_yours`) from its copier.yml, except patterns that hold Jinja."""
    skipped, table = config.get("_skip_if_exists"), config.get("_yours")
    patterns = [str(each) for each in skipped] if isinstance(skipped, list) else []
    found = dict.fromkeys(patterns, FROM_THE_START)
    if isinstance(table, dict):
        found |= {str(pattern): str(why) for pattern, why in table.items()}
    return {pattern: why for pattern, why in found.items() if "{" not in pattern}


def read_team_rules(root: Path) -> dict[str, str]:
    """Read the team's rules: `[tool.mlscaffold.diff] yours` in pyproject.toml.

    Parameters
    ----------
    root : Path
        The repository's folder.

    Returns
    -------
    dict
        Reasons, by pattern.

    Raises
    ------
    UserError
        If a pattern has no reason, or there is another setting.
    """
    file = root / "pyproject.toml"
    try:
        text = file.read_text(encoding="utf-8") if file.is_file() and not file.is_symlink() else ""
    except (OSError, ValueError):  # a broken one is named by `mlscaffold check`
        return {}
    return parse_team_rules(text)


def parse_team_rules(text: str) -> dict[str, str]:
    """Parse the team's rules from the text of a pyproject.toml, as `read_team_rules` does."""
    import tomllib

    try:
        settings = tomllib.loads(text).get("tool", {}).get("mlscaffold", {}).get("diff", {})
    except (ValueError, AttributeError):
        return {}
    if not isinstance(settings, dict):
        raise UserError("[tool.mlscaffold] diff is a table: [tool.mlscaffold.diff]")
    wrong = sorted(settings.keys() - {"yours"})
    if wrong:
        raise UserError(f"[tool.mlscaffold.diff] has no setting {wrong[0]!r}; there is yours")
    yours = settings.get("yours", {})
    if not isinstance(yours, dict):
        raise UserError(
            '[tool.mlscaffold.diff] yours needs a reason for each file: yours = { "deploy/compose.yaml" = "why" }'
        )
    for pattern, reason in yours.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(f"[tool.mlscaffold.diff] names {pattern} without a reason; write why it belongs to you")
    return yours
