"""The examples of docs/how-to/extend.md, one for each extension point, as a team would put them into extensions.py."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "extend.md"
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
OWN = "own: {cost_of_a_miss: 3, unsure_below: 0.7}\n"


def examples() -> dict[str, str]:
    """Return the source of each example by the name of its function."""
    return dict(EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))


def install(project: Path) -> None:
    """Write all examples into a repository's extensions.py, and their values into params.yaml."""
    (file,) = project.glob("src/*/extensions.py")
    file.write_text(file.read_text(encoding="utf-8") + "\n" + "\n\n".join(examples().values()), encoding="utf-8")
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text[: text.rindex("own:")] + OWN, encoding="utf-8")
