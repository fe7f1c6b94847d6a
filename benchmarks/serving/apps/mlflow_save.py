"""Write the model in MLflow's own form, with its signature, as its manual asks: `python mlflow_save.py FOLDER`."""

import json
import os
import sys
from pathlib import Path

import frame
import mlflow.sklearn
import pandas as pd
import skops.io
from mlflow.models import infer_signature

if __name__ == "__main__":
    model = frame.load()
    record = pd.DataFrame([json.loads(Path(os.environ["BENCH_RECORD"]).read_text(encoding="utf-8"))])
    mlflow.sklearn.save_model(
        model,
        sys.argv[1],
        serialization_format="skops",
        skops_trusted_types=skops.io.get_untrusted_types(file=frame.MODEL),
        signature=infer_signature(record, model.predict_proba(record)),
        pyfunc_predict_fn="predict_proba",
        pip_requirements=["scikit-learn", "skops"],  # else it looks for them by loading the model once more
    )
