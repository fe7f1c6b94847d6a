"""Which models were shipped from this clone: a file beside the Bentos; shipping changes nothing that git tracks."""

from pathlib import Path

SHIPPED_FROM_HERE = Path(".bentoml/shipped")


def shipped() -> set[str]:
    """Return the versions of the models that were shipped from this clone."""
    return set(SHIPPED_FROM_HERE.read_text(encoding="utf-8").split()) if SHIPPED_FROM_HERE.exists() else set()


def mark_shipped(model: str) -> None:
    """Note that a model was shipped."""
    known = shipped()
    if model and model not in known:
        SHIPPED_FROM_HERE.parent.mkdir(exist_ok=True)
        SHIPPED_FROM_HERE.write_text("".join(f"{each}\n" for each in sorted({*known, model})), encoding="utf-8")
