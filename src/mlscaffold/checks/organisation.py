"""Checks of an organisation: an overlay declares them in `.mlscaffold/NAME/checks.yaml`; none of it is executed."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import UserError
from ..overlays.discover import HOME, overlay_name
from .repository import Repository
from .sources import COPIER_UPDATE, Source
from .standard import WEIGHT, Check, Finding, Findings, Look, family
from .untrusted_yaml import within

FAMILY = family("OR", "Organisation", "What the organisation asks for on top, by its overlays.")
_WORDS = {"number", "title", "why", "fix", "mend", "severity", "url"}
_OF_FILES, _OF_VALUES = {"files", "exist", "hold", "lack"}, {"file", "value", "at_most", "at_least", "is"}


def checks_of(repository: Repository) -> dict[str, Check]:
    """Read the checks that the overlays of a repository declare.

    Parameters
    ----------
    repository : Repository
        Its files.

    Returns
    -------
    dict
        By id: the overlay's name in capitals, and a number.

    Raises
    ------
    UserError
        If a declaration cannot be understood.
    """
    found: dict[str, Check] = {}
    for name in sorted(filter(None, map(overlay_name, repository.files))):
        place = f"{HOME}/{name}/checks.yaml"
        if place not in repository.known:
            continue
        document = repository.yaml(place)
        rules = document.get("checks") if isinstance(document, dict) else None
        if not isinstance(rules, list):
            raise UserError(f"{place} must hold a list, `checks:`")
        for rule in rules:
            check = _check(rule, name, place)
            if check.id in found:
                raise UserError(f"{place}: there are two checks with number {rule['number']}")
            found[check.id] = check
    return found


def _check(rule: Any, name: str, place: str) -> Check:
    number = rule.get("number") if isinstance(rule, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1000:
        raise UserError(f"{place}: each check has a number from 1 to 999")
    where = f"{place}, check {number}"
    rule = {"fix": rule.get("mend"), **rule}  # overlays of mlscaffold 0.5 and older say `mend`
    for word in ("title", "fix", "severity"):
        if not isinstance(rule.get(word), str) or not rule[word].strip():
            raise UserError(f"{where} has no {word}")
    if rule["severity"] not in WEIGHT:
        raise UserError(f"{where}: severity {rule['severity']!r} is none of {', '.join(WEIGHT)}")
    url = str(rule.get("url", COPIER_UPDATE.url))
    if not re.fullmatch(r"https://[^\s()<>\"]+", url):
        raise UserError(f"{where}: url must be an address, https://...")
    texts = {word: " ".join(str(rule.get(word, "")).split()) for word in ("title", "why", "fix")}
    look, needs = _look(rule, where)
    identity, source = f"{name.upper()}-{number:03}", Source(f"the overlay {name}", url)
    why = texts["why"] or "The organisation asks for it."
    return Check(identity, FAMILY.letters, rule["severity"], texts["title"], why, source, texts["fix"], needs, look)


def _look(rule: Mapping[str, Any], where: str) -> tuple[Look, str]:
    words = set(rule) - _WORDS
    if isinstance(rule.get("files"), str) and len(words) > 1 and words <= _OF_FILES:
        return _files(rule["files"], bool(rule.get("exist")), _texts(rule, "hold"), _texts(rule, "lack")), "such a file"
    if isinstance(rule.get("file"), str) and isinstance(rule.get("value"), str) and words <= _OF_VALUES:
        return _value(rule["file"], rule["value"], {word: rule[word] for word in words - {"file", "value"}}), "the file"
    raise UserError(
        f"{where} asks for nothing known: files with exist, hold or lack; "
        f"or file and value with at_most, at_least or is"
    )


def _texts(rule: Mapping[str, Any], word: str) -> tuple[str, ...]:
    texts = rule.get(word, ())
    return (texts,) if isinstance(texts, str) else tuple(map(str, texts or ()))


def _files(pattern: str, exist: bool, hold: tuple[str, ...], lack: tuple[str, ...]) -> Look:
    def files(repository: Repository) -> Findings:
        found = repository.matching(pattern)
        if not found:
            return [Finding(f"there is no {pattern}")] if exist else None
        missing = [
            Finding(f"lacks {text!r}", path) for path in found for text in hold if text not in repository.text(path)
        ]
        wrong = [
            Finding(f"holds {text!r}", path, repository.line(path, text))
            for text in lack
            for path in repository.containing(text, pattern)
        ]
        return missing + wrong

    return files


def _value(path: str, name: str, bounds: Mapping[str, Any]) -> Look:
    def value(repository: Repository) -> Findings:
        if path not in repository.known:
            return None
        found = within(repository.yaml(path), *name.split("."))
        wrong = [f"{name} is {found!r}, not {word.replace('_', ' ')} {bound!r}" for word, bound in bounds.items()]
        keeps = [_keeps(found, word, bound) for word, bound in bounds.items()]
        return [Finding(text, path) for text, kept in zip(wrong, keeps, strict=True) if not kept]

    return value


def _keeps(found: Any, word: str, bound: Any) -> bool:
    if word == "is":
        return bool(found == bound)
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (found, bound)):
        return False
    return bool(found <= bound if word == "at_most" else found >= bound)
