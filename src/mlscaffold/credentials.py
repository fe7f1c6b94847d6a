"""Passwords and tokens: in no answer, in no address that a repository records, and in nothing that is printed."""

import re
from collections.abc import Mapping
from typing import Any

from .errors import UserError

# Who issues them makes them recognisable.
TOKENS = {
    "a key of AWS": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{20,}"),
    "a token of GitHub": re.compile(r"\b(ghp|gho|ghs|ghr)_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60,}\b"),
    "a token of GitLab": re.compile(r"\bglpat-[\w-]{20}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    "a key of Google": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token of Hugging Face": re.compile(r"\bhf_[A-Za-z]{34}\b"),
}
# Before the `@` of an address: by HTTP anything may be a token, elsewhere (ssh://git@host) a name alone is none.
_USER = re.compile(r"(?i)(\b(?:git\+)?(?:https?|ftps?)://)[^\s/@]+@|(\b[a-z][a-z0-9+.-]*://)[^\s/:@]*:[^\s/@]+@")
_QUERY = re.compile(r"(?i)([?&;](?:[\w-]*token|password|passwd|secret|sig|api_?key)=)[^\s&;#]+")


def refuse_address(address: str) -> None:
    """Refuse an address that holds a user or a password: it would be recorded in the repository."""
    if _USER.search(address) or _QUERY.search(address):
        raise UserError(
            f"the address {masked(address)} holds a user, a password or a token, which would be committed with the "
            "repository; leave them out: git asks its credential helper (git help credentials)"
        )


def refuse_answers(answers: Mapping[str, Any]) -> None:
    """Refuse answers that hold a password or a token: they are written to .copier-answers.yml and committed."""
    for name, value in answers.items():
        text = str(value)
        found = next((what for what, pattern in TOKENS.items() if pattern.search(text)), "")
        if _USER.search(text) or _QUERY.search(text):
            found = "a user or a password in an address"
        if found:
            raise UserError(
                f"the answer {name} holds {found}, and answers are committed with the repository; "
                "leave it out, and give it to the program that needs it by its environment"
            )


def masked(text: str) -> str:
    """Return a text without its passwords and tokens, for a terminal or a log."""
    hidden = _USER.sub(lambda found: f"{found[1] or found[2]}***@", text)
    hidden = _QUERY.sub(r"\1***", hidden)
    for pattern in TOKENS.values():
        hidden = pattern.sub("***", hidden)
    return hidden
