"""What a column is for when nobody said so: a feature, unless it only names rows or says nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contract import Type
from .columns import Kind, Summary
from .words import words

if TYPE_CHECKING:
    import polars as pl

FEW_ROWS = 20  # below, values that are all different say nothing
_MANY_WORDS = 3  # words a cell has on average in a column of free text
_ID_WORDS = {
    "id",
    "ids",
    "key",
    "uuid",
    "guid",
    "pk",
    "index",
    "idx",
    "rownum",
    "unnamed",
    "identifier",
    "rowid",
    "row",
}
_NUMBER_WORDS = _ID_WORDS | {
    "no",
    "nr",
    "num",
    "number",
    "nummer",
    "code",
    "ref",
    "reference",
    "serial",
    "account",
    "ticket",
}
_HEX = r"^[0-9a-fA-F]{32}(?:[0-9a-fA-F]{8})?(?:[0-9a-fA-F]{24})?$"
_UUID = r"^\{?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}?$"
_PROTECTED = {
    "sex", "gender", "male", "female", "race", "ethnicity", "ethnic", "age", "religion", "religious", "nationality",
    "disability", "disabled", "pregnant", "pregnancy", "citizenship", "geschlecht", "alter", "ethnie", "nationalität",
    "sexe", "genre", "sexo", "edad", "genero", "género", "raza", "orientation", "skin",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the role of a column is told from.

    Attributes
    ----------
    name : str
        Of the column.
    type : str
        Its type in the contract.
    cells : polars.Series
        Texts of a sample of rows, null where there is no value.
    kind : Kind
        What they are parsed as.
    summary : Summary
        What the whole column holds.
    """

    name: str
    type: Type
    cells: "pl.Series"
    kind: Kind
    summary: Summary


def reason_to_ignore(facts: Facts) -> str:
    """Say why a column is no feature; empty where it may be one."""
    summary = facts.summary
    if summary.nulls == summary.rows:
        return "wholly empty"
    if _is_constant(facts):
        return "constant"
    if facts.type == "integer":
        return _running_number(facts)
    return _unique_text(facts) if facts.kind.name == "text" else ""


def mean_words(cells: "pl.Series") -> float:
    """Return how many words a cell has on average."""
    mean = cells.drop_nulls().head(5000).str.count_matches(r"\S+").mean()
    return float(mean) if isinstance(mean, float) else 0.0


def is_free_text(cells: "pl.Series", distinct: int) -> bool:
    """Say whether texts are sentences rather than labels: several words each, and mostly different."""
    count = cells.len() - cells.null_count()
    return distinct >= 5 and distinct >= 0.5 * count and mean_words(cells) >= _MANY_WORDS


def looks_protected(name: str) -> bool:
    """Say whether a name speaks of what people must not be judged by."""
    return bool(set(words(name)) & _PROTECTED)


def repeats_like_an_entity(facts: Facts) -> bool:
    """Say whether a column names things (customers, devices) that have several rows each."""
    count = facts.cells.len() - facts.cells.null_count()
    distinct = facts.cells.drop_nulls().n_unique()
    named = bool(words(facts.name)) and words(facts.name)[-1] in _ID_WORDS
    return (
        named
        and facts.type in {"integer", "category", "text"}
        and max(FEW_ROWS, 0.02 * count) < distinct < 0.95 * count
    )


def _is_constant(facts: Facts) -> bool:
    """Say whether there is one value; where cells are empty as well, that they are may say something."""
    summary = facts.summary
    if summary.nulls > 0.01 * summary.rows:
        return False
    if facts.kind.name == "number":
        return summary.low == summary.high
    if facts.kind.name == "text":
        return summary.values is not None and len(summary.values) == 1
    return facts.cells.drop_nulls().n_unique() == 1 and summary.rows == facts.cells.len()


def _running_number(facts: Facts) -> str:
    import polars as pl

    values = facts.cells.drop_nulls().cast(pl.Float64, strict=False).drop_nulls()
    count = len(values)
    if facts.summary.nulls or count < 5:
        return ""
    head = values.head(10_000)  # of a large table the sample is not in one piece
    if (head.diff().drop_nulls() == 1).all() and (head[0] in {0, 1} or count >= FEW_ROWS):
        return "running number"
    if count < FEW_ROWS or values.n_unique() < count:
        return ""
    span = (facts.summary.high or 0) - (facts.summary.low or 0) + 1
    if span <= 1.05 * facts.summary.rows:
        return "running number, shuffled"
    return "unique numbers" if set(words(facts.name)) & _NUMBER_WORDS else ""


def _unique_text(facts: Facts) -> str:
    cells = facts.cells.drop_nulls()
    count, distinct = len(cells), cells.n_unique()
    if distinct < 2 or count < 5 or distinct < 0.5 * count:
        return ""
    if cells.str.contains(_UUID).all():
        return "UUIDs"
    if cells.str.contains(_HEX).all():
        return "hash values"
    if count < FEW_ROWS or mean_words(cells) >= _MANY_WORDS:
        return ""
    if distinct == count:
        return "unique texts"
    return "nearly unique texts" if distinct >= 0.98 * count and count >= 100 else ""
