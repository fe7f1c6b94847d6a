"""A contract with a column of each type, parameters, and a table that fits the contract."""

import numpy as np
import pandas as pd
import yaml

CONTRACT = """
version: 1
task: classification
positive: "Yes"
source: {path: data/raw.csv, delimiter: ";", decimal: ",", missing: ["", "NA"]}
columns:
  "größe in m": {role: feature, type: number, nullable: true, range: [0, 3]}
  visits: {role: feature, type: integer, range: [0, 100]}
  smoker: {role: feature, type: boolean, categories: ["No", "Yes"]}
  plan: {role: feature, type: category, nullable: true, categories: [basic, pro]}
  level: {role: feature, type: category, categories: [1, 2, 3]}
  joined: {role: feature, type: datetime, format: "%d.%m.%Y"}
  seen: {role: feature, type: datetime, format: epoch_s}
  comment: {role: feature, type: text, nullable: true}
  city: {role: feature, type: category, nullable: true, many: true}
  group: {role: protected, type: category, categories: [a, b]}
  row: {role: ignore, type: integer, reason: running number}
  left: {role: target, type: category, categories: ["No", "Yes"]}
"""

PARAMS = """
prepare: {test_size: 0.2, seed: 1}
model: {kind: gradient_boosting, seed: 1, learning_rate: 0.1, max_iter: 100, max_leaf_nodes: 31, min_samples_leaf: 20,
  regularization: 1.0, min_category_count: 5, max_categories: 50, max_words: 200}
evaluate: {bootstrap: 500, confidence: 0.95, seed: 1}
compare: {margin: 0.02, headline_margin: 0.02, seeds: 3}
slices: {gap: 0.6, worse: 0.1, min_rows: 200, min_class_rows: 30, bands: 4, most_groups: 20, two_way: []}
bias: {allow: [], parity: 0.2, odds: 0.2, worst_group: 0.6, calibration: 0.1, base_rate: 0.35, worse: 0.05}
drift: {windows: 10, factor: 1.5, floor: 0.08, concept: 0.1}
fragility: {rows: 50, tolerance: 0.02, expectations: {}}
service: {max_records: 1000, max_body_bytes: 2000000, timeout_seconds: 10, max_concurrency: 64, tolerance: 0.000001,
  explain_draws: 60}
log: {rotate_megabytes: 64, keep_files: 50}
rollout: {mode: alone, entity: "", share: 0.1}
objectives: {availability: 0.999, latency: 0.99, latency_seconds: 0.25, requests_per_second: 50, model_age_days: 90,
  label_delay_hours: 168, null_ratio: 0.05, live_loss: 0.1, variant_worse: 0.02, quiet_minutes: 30}
"""


def drawn() -> pd.DataFrame:
    """Two hundred rows as texts, in which many visits make a customer stay."""
    rng = np.random.default_rng(1)
    visits = rng.integers(0, 100, 200)
    table = {
        "größe in m": [f"{x:.2f}".replace(".", ",") for x in rng.uniform(1, 2, 200)],
        "visits": [str(x) for x in visits],
        "smoker": rng.choice(["No", "Yes"], 200),
        "plan": rng.choice(["basic", "pro", ""], 200),
        "level": rng.choice(["1", "2", "3.0"], 200),
        "joined": [f"{day:02}.{month:02}.2024" for day, month in rng.integers(1, 13, (200, 2))],
        "seen": [str(x) for x in rng.integers(1_700_000_000, 1_720_000_000, 200)],
        "comment": rng.choice(["very good", "bad, slow", "", "??"], 200),
        "group": rng.choice(["a", "b"], 200),
        "row": [str(i) for i in range(200)],
        "left": np.where(visits < 40, "Yes", "No"),
        "city": rng.choice(["", *(f"city {i % 7 * i}" for i in range(60))], 200),
    }
    return pd.DataFrame(table, index=pd.RangeIndex(1, 201, name="row"), dtype="str")


def changed(text: str, **values: object) -> str:
    """Give YAML with other values at its head."""
    return yaml.safe_dump(yaml.safe_load(text) | values, allow_unicode=True)
