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
    modules = {IMPORTS: f"{__package__}.imports", **STAGES}
    if name not in modules:
        raise DataError(f"there is no stage {name!r}; there are {', '.join(modules)}")
    import_module(modules[name]).main()
