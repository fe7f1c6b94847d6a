"""The servers that are compared, one row each; each runs in an environment of its own, with one worker."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project import CACHE, Project, loud

HERE = Path(__file__).parent
APPS = HERE / "apps"
Json = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """How a server is started and asked.

    Parameters
    ----------
    requirements : str
        File in requirements/ its environment is made from; empty for that of the generated service.
    command : list of str
        `{bin}`, `{port}`, `{made}` and `{package}` are filled in; run in apps/, or in the generated repository.
    body : callable
        The request for a record.
    scores : callable or None
        The probabilities in an answer, by label; None where nothing is predicted.
    make : str
        Script of apps/ that writes what the server needs into `{made}`, once for a model.
    variables : dict of str
        Environment variables of its own.
    """

    key: str
    name: str
    requirements: str
    command: list[str]
    path: str = "/predict"
    body: Callable[[Json], Json] = lambda record: record
    scores: Callable[[Json, list[str]], Json] | None = lambda answer, _: answer["probabilities"]
    make: str = ""
    variables: dict[str, str] = field(default_factory=dict)


UVICORN = ["{bin}/uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1", "--no-access-log"]
BENTOML = ["{bin}/bentoml", "serve", "--host", "127.0.0.1", "--port", "{port}"]
MLFLOW = ["{bin}/mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1", "--port", "{port}"]
SERVERS = [
    Server("0", "generated service", "", ["{bin}/python", "-m", "mlproduct", "serve", "--port", "{port}"]),
    Server(
        "a", "BentoML, frame", "bentoml", [*BENTOML, "bento_frame:Frame"],
        body=lambda record: {"record": record},
    ),
    Server("b", "FastAPI, frame", "fastapi", [*UVICORN, "fast_api:app"]),
    Server(
        "c", "mlflow models serve", "mlflow", [*MLFLOW, "--workers", "1", "--model-uri", "{made}"],
        path="/invocations",
        body=lambda record: {"dataframe_records": [record]},
        scores=lambda answer, labels: dict(zip(labels, answer["predictions"][0], strict=True)),
        make="mlflow_save.py",
    ),
    Server("d", "LitServe, frame", "litserve", ["{bin}/python", "lit.py", "{port}"]),
    Server(
        "e", "BentoML, empty handler", "bentoml", [*BENTOML, "bento_empty:Empty"],
        body=lambda record: {"record": record},
        scores=None,
    ),
    Server("f", "bare ASGI, msgspec, ONNX", "bare", [*UVICORN, "bare:app"], make="bare_convert.py"),
]  # fmt: skip


@dataclass(frozen=True)
class Ready:
    """A server with its environment and files in place."""

    server: Server
    project: Project
    environment: Path
    made: Path

    def command(self, port: int) -> list[str]:
        """Give the words that start it."""
        words = {"bin": self.environment / "bin", "port": port, "made": self.made, "package": self.project.package}
        return [word.format(**words) for word in self.server.command]

    @property
    def folder(self) -> Path:
        """Say where it is started."""
        return APPS if self.server.requirements else self.project.home

    @property
    def variables(self) -> dict[str, str]:
        """Give its environment: nobody is told of its use, one thread computes, its own packages come first."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        own = f"{self.project.home / 'src'}:{APPS}" if self.server.requirements else str(self.project.library)
        return kept | {
            "PATH": f"{self.environment / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": own,
            "BENCH_MODEL": str(self.project.model),
            "BENCH_RECORD": str(self.project.record),
            "BENCH_BARE": str(self.made),
            "BENTOML_HOME": str(CACHE / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": "1",  # two threads for one row wait for each other more than they compute
            **self.server.variables,
        }


def prepared(server: Server, project: Project) -> Ready:
    """Make the environment of a server and what it needs of the model; both are kept."""
    environment = installed(server.requirements) if server.requirements else project.environment
    model = hashlib.sha256(project.model.read_bytes()).hexdigest()[:12]
    script = APPS / server.make if server.make else HERE
    made = CACHE / "made" / f"{server.key}-{environment.name}-{model}-{script.stat().st_mtime_ns}"
    ready = Ready(server, project, environment, made)
    if server.make and not made.exists():
        draft = made.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        loud([str(environment / "bin" / "python"), server.make, str(draft)], APPS, **ready.variables)
        draft.rename(made)
    return ready


def installed(name: str) -> Path:
    """Install a file of requirements/ once."""
    requirements = HERE / "requirements" / f"{name}.txt"
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    home = CACHE / "environments" / f"{name}-{version}-{digest}"
    if not (home / ".ready").exists():
        print(f"installing {name}", file=sys.stderr)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, str(home)], check=True)
        install = [*uv, "pip", "install", "--compile-bytecode", "--python", str(home), "-r", str(requirements)]
        subprocess.run(install, check=True)
        (home / ".ready").touch()
    return home


def agree(server: Server, answer: Json, truth: Json) -> str:
    """Say in what an answer differs from that of the generated service; nothing if they are the same."""
    if server.scores is None:
        return ""
    expected = truth["probabilities"]
    found = server.scores(answer, list(expected))
    best = str(answer.get("prediction", max(found, key=lambda label: float(found[label]))))
    if best != str(truth["prediction"]):
        return f"predicts {best}, the generated service {truth['prediction']}"
    far = max(abs(found.get(label, 0.0) - expected[label]) for label in expected)
    return (
        f"probabilities differ by {far:.2g}: {json.dumps(found)}" if far > 1e-5 or len(found) != len(expected) else ""
    )
