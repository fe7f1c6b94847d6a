"""The address of a template as text: which kind it is, and its forms for copier, for git and for a comparison."""

import re
from pathlib import Path

_WEB = re.compile(r"^(https?|ssh)://")
_REMOTE = re.compile(r"^([a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:|gh:|gl:)")
# What copier itself takes for git (copier/_vcs.py, GIT_PREFIX and GIT_POSTFIX); anything else needs `git+`.
_KNOWN = re.compile(r"(^(git@|git://|git\+|https://github\.com/|https://gitlab\.com/|gh:|gl:)|\.git$)")


def is_remote(url: str) -> bool:
    """Return whether it is an address, and not a path."""
    return bool(_REMOTE.match(url))


def is_carried(url: str) -> bool:
    """Return whether it names a bundle inside of the repository that records it."""
    return url.endswith(".bundle") and not is_remote(url) and not Path(url).expanduser().is_absolute()


def for_copier(url: str) -> str:
    """Return the address as copier reads it."""
    return url if _KNOWN.search(url) or not _WEB.match(url) else f"git+{url}"


def for_git(address: str) -> str:
    """Return the address that copier passes to git."""
    for alias, host in (("gh:", "https://github.com/"), ("gl:", "https://gitlab.com/")):
        if address.startswith(alias):
            return f"{host}{address.removeprefix(alias).lstrip('/').removesuffix('.git')}.git"
    plain = address.removeprefix("git+")
    web = address.startswith("https://") and not address.endswith(".git")
    return f"{plain}.git" if web else plain


def plain_address(url: str) -> str:
    """Return an address in the one form that is compared, without what git and copier put before and after it."""
    return for_git(for_copier(url)).removesuffix(".git")
