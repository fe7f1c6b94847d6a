"""Known vulnerabilities of packages that machine-learning repositories use, with the first fixed version."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Vulnerability:
    """A vulnerability, and the version that fixed it.

    Attributes
    ----------
    package : str
        As the index writes it.
    fixed : str
        The first version without it.
    cve : str
        Its number.
    what : str
        What an attacker gets.
    since : str
        The first version with it.
    """

    package: str
    fixed: str
    cve: str
    what: str
    since: str = "0"


VULNERABILITIES = (
    Vulnerability("aiohttp", "3.10.11", "CVE-2024-52304", "smuggled requests"),
    Vulnerability("bentoml", "1.4.3", "CVE-2025-27520", "runs code that a request brings", since="1.3.4"),
    Vulnerability("bentoml", "1.4.8", "CVE-2025-32375", "runs code that a request brings", since="1.0.0a1"),
    Vulnerability("bentoml", "1.4.19", "CVE-2025-54381", "fetches addresses inside of the network", since="1.4.0"),
    Vulnerability("gitpython", "3.1.41", "CVE-2024-22190", "runs a git from the current folder (Windows)"),
    Vulnerability("gunicorn", "22.0.0", "CVE-2024-1135", "smuggled requests"),
    Vulnerability("h11", "0.16.0", "CVE-2025-43859", "smuggled requests"),
    Vulnerability("jinja2", "3.1.6", "CVE-2025-27516", "leaves the sandbox of templates"),
    Vulnerability("joblib", "1.2.0", "CVE-2022-21797", "runs code by pre_dispatch"),
    Vulnerability("keras", "3.9.0", "CVE-2025-1550", "runs code that a model brings, in safe mode too", since="3.0.0"),
    Vulnerability("mlflow", "2.9.2", "CVE-2023-6831", "deletes files outside of its folder"),
    Vulnerability("pillow", "10.3.0", "CVE-2024-28219", "overflows a buffer"),
    Vulnerability("pyarrow", "14.0.1", "CVE-2023-47248", "runs code that a Parquet or IPC file brings", since="0.14.0"),
    Vulnerability("pyyaml", "5.4", "CVE-2020-14343", "runs code that a YAML file brings"),
    Vulnerability("requests", "2.32.4", "CVE-2024-47081", "gives .netrc passwords to another host"),
    Vulnerability("scikit-learn", "1.5.0", "CVE-2024-5206", "keeps words of the training data in stop_words_"),
    Vulnerability("skops", "0.13.0", "CVE-2025-54886", "Card.get_model falls back to joblib, which runs code"),
    Vulnerability("starlette", "0.40.0", "CVE-2024-47874", "a form of any size fills the memory"),
    Vulnerability("starlette", "0.49.1", "CVE-2025-62727", "a Range header takes the processor", since="0.39.0"),
    Vulnerability("torch", "2.6.0", "CVE-2025-32434", "runs code that a checkpoint brings, with weights_only too"),
    Vulnerability("transformers", "4.36.0", "CVE-2023-6730", "runs code that a model brings"),
    Vulnerability("urllib3", "2.5.0", "CVE-2025-50181", "follows redirects that were switched off"),
)
