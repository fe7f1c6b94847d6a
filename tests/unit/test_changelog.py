"""Which sections of a changelog lie between two versions."""

import pytest

from mlscaffold.changelog import between

TEXT = """# Changelog

## [Unreleased]

- soon

## [0.10.0] - 2026

- ten

## v0.9.1

- nine

## 0.9.0 - 2025

- old
"""


@pytest.mark.parametrize(
    ("after", "upto", "found"),
    [
        ("v0.9.0", "v0.10.0", "## [0.10.0] - 2026\n\n- ten\n\n## v0.9.1\n\n- nine"),
        ("0.9.0", "0.9.1", "## v0.9.1\n\n- nine"),
        ("v0.10.0", "v0.11.0", ""),
        ("HEAD", "v0.10.0", ""),
    ],
)
def test_the_sections_between_two_versions(after: str, upto: str, found: str) -> None:
    assert between(TEXT, after, upto) == found


def test_a_text_without_versions_has_none() -> None:
    assert between("# Changelog\n\n- all kinds of things\n", "0.1", "0.2") == ""
