"""What a changelog says between two versions."""

import re

from packaging.version import InvalidVersion, Version

_HEADING = re.compile(r"^## \[?v?(?P<version>\d[^\s\]]*)\]?.*$", re.MULTILINE)


def between(text: str, after: str, upto: str) -> str:
    """Return the sections of a changelog that are newer than one version and not newer than another.

    Parameters
    ----------
    text : str
        Markdown with a heading `## VERSION ...` a release, as keepachangelog.com describes it.
    after, upto : str
        Versions, with or without a leading `v`.

    Returns
    -------
    str
        The sections with their headings; empty where there are none, or one of the two is not a version.
    """
    try:
        low, high = Version(after), Version(upto)
    except InvalidVersion:
        return ""
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    found = []
    for heading, end in zip(headings, ends, strict=False):
        try:
            version = Version(heading["version"])
        except InvalidVersion:
            continue
        if low < version <= high:
            found.append(text[heading.start() : end].strip())
    return "\n\n".join(found)
