"""Read a YAML file that a person edits; an error names the file, the line and the fix."""

from pathlib import Path
from typing import Any

import yaml

from mlproduct.errors import DataError


def read_yaml(path: Path) -> Any:
    """Read a YAML file in which no key is written twice.

    Raises
    ------
    DataError
        If the file is missing or not valid YAML, or a key is written twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        _check_keys(path.name, node, "", set())
        return None if node is None else loader.construct_document(node)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; `git restore {path}` restores the last commit's") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DataError(f"{path}{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that cannot be, as 2024-13-45
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def _check_keys(file: str, node: Any, place: str, seen: set[int]) -> None:
    """Refuse a key that a mapping holds twice: YAML silently takes the last one."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))  # an alias may lead back to what holds it
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _check_keys(file, entry, place, seen)
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if (first := lines.get((key.tag, name))) is not None:
            where = f"{file}, {place}" if place else file
            raise DataError(f"{where}: key {name!r} is written twice, in lines {first} and {line}; remove one")
        lines[key.tag, name] = line
        _check_keys(file, value, f"{place}.{name}".strip("."), seen)
