"""The operator's trust list: templates that may run code here (tasks, migrations, Jinja extensions)."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from .address import is_remote, plain_address
from .answers import config_file, read_settings
from .errors import UserError

VARIABLE = "MLSCAFFOLD_TRUST"


def trusted(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether the operator trusts a template.

    Parameters
    ----------
    url : str
        Address or path, as a repository records it.
    environ : mapping
        The environment: `MLSCAFFOLD_TRUST`, addresses with commas or blanks between.

    Returns
    -------
    bool
        True where `trust` in the user's configuration, or the variable, names the address, or an address above it that
        ends with `/`. A relative path is never trusted: it lies inside the repository, so anybody may have added it.
    """
    place = _known(url)
    if not place or ".." in PurePosixPath(place).parts:
        return False
    return any(f"{place}/".startswith(entry) if entry.endswith("/") else place == entry for entry in _entries(environ))


def _entries(environ: Mapping[str, str]) -> Iterator[str]:
    file = config_file()
    listed = read_settings(file).get("trust") or [] if file.exists() else []
    if not isinstance(listed, list):
        raise UserError(f"{file}: trust is a list of addresses, one a line with a dash before it")
    for entry in (*map(str, listed), *re.split(r"[\s,]+", environ.get(VARIABLE, ""))):
        if entry:
            place = _known(entry.rstrip("/"))
            if not place:
                raise UserError(f"the trust list holds {entry!r}, which is neither an address nor an absolute path")
            yield f"{place}/" if entry.endswith("/") else place


def _known(url: str) -> str:
    """Return an address in the one form that is compared; empty for a relative path."""
    if is_remote(url):
        return plain_address(url)
    path = Path(url).expanduser()
    return path.resolve().as_posix() if path.is_absolute() else ""
