"""Gradient boosted trees of scikit-learn -> an ONNX graph in double precision.

skl2onnx 1.20 rounds the thresholds of a classifier to float32, which sends values beside a threshold down the wrong
branch, and fails beside protobuf 7. `TreeEnsemble` of ai.onnx.ml 5 holds doubles.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

LINKS = {"squared_error": "Identity", "absolute_error": "Identity", "poisson": "Exp", "gamma": "Exp"}
OPSETS = (helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5))
SUM, NO_TRANSFORM, LESS_OR_EQUAL = 1, 0, 0


class NotConvertibleError(Exception):
    """An estimator for which there is no graph that answers as it does."""


def convert(estimator: Any, width: int) -> onnx.ModelProto:
    """Convert a fitted HistGradientBoosting estimator.

    Parameters
    ----------
    width : int
        Columns of its input `X`, a double tensor of shape (n_rows, width).

    Returns
    -------
    ModelProto
        Its output `Y` is a double tensor: probabilities of shape (n_rows, n_classes), or values of shape (n_rows, 1).

    Raises
    ------
    NotConvertibleError
        If it splits on categories, or has a loss with another link.
    """
    trees = [(tree.nodes, target) for stage in estimator._predictors for target, tree in enumerate(stage)]
    if any(nodes["is_categorical"].any() for nodes, _ in trees):
        raise NotConvertibleError("it splits on categories")
    baseline = np.asarray(estimator._baseline_prediction, dtype="float64").reshape(-1)
    trees = [(_only_leaf(value), target) for target, value in enumerate(baseline)] + trees
    ensemble = helper.make_node(
        "TreeEnsemble", ["X"], ["raw"], domain="ai.onnx.ml", **_attributes(trees, len(baseline))
    )
    nodes = [ensemble, *_linked(estimator, len(baseline))]
    constants = []
    if isinstance(estimator, HistGradientBoostingClassifier) and len(baseline) == 1:
        constants.append(numpy_helper.from_array(np.array([1.0]), "one"))
    features = helper.make_tensor_value_info("X", TensorProto.DOUBLE, [None, width])
    output = helper.make_tensor_value_info("Y", TensorProto.DOUBLE, [None, None])
    return helper.make_model(
        helper.make_graph(nodes, "trees", [features], [output], constants), opset_imports=OPSETS, ir_version=10
    )


def _linked(estimator: Any, many: int) -> list[onnx.NodeProto]:
    """Return the nodes that turn raw scores into answers."""
    if isinstance(estimator, HistGradientBoostingRegressor):
        if estimator.loss not in LINKS:
            raise NotConvertibleError(f"its loss is {estimator.loss}")
        return [helper.make_node(LINKS[estimator.loss], ["raw"], ["Y"])]
    if not isinstance(estimator, HistGradientBoostingClassifier):
        raise NotConvertibleError("it is no HistGradientBoosting")
    if many > 1:
        return [helper.make_node("Softmax", ["raw"], ["Y"], axis=1)]
    return [
        helper.make_node("Sigmoid", ["raw"], ["second"]),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"], ["Y"], axis=1),
    ]


def _attributes(trees: list[tuple[Any, int]], targets: int) -> dict[str, Any]:
    """Lay the branches and the leaves of all trees out as `TreeEnsemble` wants them."""
    branches: dict[str, list[Any]] = {
        name: [] for name in ("feature", "split", "nan", "yes", "yes_leaf", "no", "no_leaf")
    }
    roots: list[int] = []
    weights: list[float] = []
    of: list[int] = []
    for tree, target in trees:
        roots.append(len(branches["feature"]))
        # A tree that never splits: both ways lead to its leaf.
        nodes = _split_in_two(tree) if tree["is_leaf"][0] else tree
        leaf = nodes["is_leaf"].astype(bool)
        place = np.where(leaf, len(weights) + np.cumsum(leaf) - 1, roots[-1] + np.cumsum(~leaf) - 1)
        inner = nodes[~leaf]
        for side, child in (("yes", inner["left"].astype(int)), ("no", inner["right"].astype(int))):
            branches[side] += place[child].tolist()
            branches[f"{side}_leaf"] += leaf[child].astype(int).tolist()
        branches["feature"] += inner["feature_idx"].astype(int).tolist()
        branches["split"] += inner["num_threshold"].tolist()
        branches["nan"] += inner["missing_go_to_left"].astype(int).tolist()
        weights += nodes["value"][leaf].tolist()
        of += [target] * int(leaf.sum())
    doubles = {
        "nodes_splits": numpy_helper.from_array(np.array(branches["split"], dtype="float64")),
        "leaf_weights": numpy_helper.from_array(np.array(weights, dtype="float64")),
        "nodes_modes": numpy_helper.from_array(np.full(len(branches["split"]), LESS_OR_EQUAL, dtype="uint8")),
    }
    return doubles | {
        "n_targets": targets, "aggregate_function": SUM, "post_transform": NO_TRANSFORM, "tree_roots": roots,
        "nodes_featureids": branches["feature"], "nodes_missing_value_tracks_true": branches["nan"],
        "nodes_truenodeids": branches["yes"], "nodes_trueleafs": branches["yes_leaf"],
        "nodes_falsenodeids": branches["no"], "nodes_falseleafs": branches["no_leaf"], "leaf_targetids": of,
    }  # fmt: skip


def _only_leaf(value: float) -> Any:
    """Return a tree of one value: as the first of all, the baseline is what sums begin with, as in scikit-learn."""
    nodes = np.zeros(1, dtype=PREDICTOR_RECORD_DTYPE)
    nodes["is_leaf"], nodes["value"] = 1, value
    return nodes


def _split_in_two(leaf: Any) -> Any:
    nodes = np.repeat(leaf[:1], 3)
    nodes["is_leaf"][0], nodes["left"][0], nodes["right"][0] = 0, 1, 2
    return nodes
