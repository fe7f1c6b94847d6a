"""The stages of dvc.yaml: each is the `main` of one module."""

from importlib import import_module

from mlproduct.errors import DataError

STAGES = {
    "contract": "mlproduct.contract.validation",
    "prepare": "mlproduct.data.prepare",
    "train": "mlproduct.training.train",
    "evaluate": "mlproduct.evaluation.evaluate",
    "export": "mlproduct.export.export",
    "champion": "mlproduct.evaluation.champion",
    "slices": "mlproduct.evaluation.slices",
    "bias": "mlproduct.evaluation.bias",
    "drift": "mlproduct.evaluation.drift.detection",
    "fragility": "mlproduct.evaluation.fragility",
    "compare": "mlproduct.evaluation.compare",
    "alternatives": "mlproduct.experiments.alternatives",
    "verdict": "mlproduct.evaluation.verdict",
    "report": "mlproduct.reports.ce_report",
}
IMPORTS = "imports"  # the stage that runs before all others, and hashes what each of them imports


def run(name: str) -> None:
    """Run one stage.

    Raises
    ------
    DataError
        If there is no such stage, or the stage refuses its input.
    """
    if name == IMPORTS:
        from mlproduct import imports

        imports.main()
        return
    if name not in STAGES:
        raise DataError(f"there is no stage {name!r}; there are {', '.join([IMPORTS, *STAGES])}")
    import_module(STAGES[name]).main()
