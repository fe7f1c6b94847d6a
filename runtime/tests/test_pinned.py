"""What runs is what is pinned: each way in which it can differ is refused, with the command that repairs it."""

import hashlib
import re
import shutil
import sys
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from mlproduct import pinned
from mlproduct.errors import DataError

NAME = "mlproduct-1.2.3-py3-none-any.whl"
FILES = {"mlproduct/__init__.py": "", "mlproduct/a.py": "x = 1\n", "mlproduct/page.css": "p {}\n"}
TESTS = {"mlproduct/_tests/test_a.py": "x = 1\n"}


def record(files: dict[str, str]) -> str:
    def digest(text: str) -> str:
        return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")

    rows = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    return "\n".join([*rows, "mlproduct-1.2.3.dist-info/RECORD,,", ""])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a repository with a vendored wheel, whose files are installed beside it, in an environment."""
    root, installed = tmp_path / "churn", tmp_path / "environment"
    (root / "vendor").mkdir(parents=True)
    with zipfile.ZipFile(root / "vendor" / NAME, "w") as wheel:
        for name, text in (FILES | TESTS | {"mlproduct-1.2.3.dist-info/RECORD": record(FILES | TESTS)}).items():
            wheel.writestr(name, text)
    write_pin(root, f"./vendor/{NAME}", digest_of(root))
    for name, text in FILES.items():
        (installed / name).parent.mkdir(parents=True, exist_ok=True)
        (installed / name).write_text(text, encoding="utf-8")
    (installed / pinned.MARK).touch()
    monkeypatch.setattr(pinned, "HERE", installed / "mlproduct")
    monkeypatch.setattr(pinned, "__version__", "1.2.3")
    monkeypatch.setattr(sys, "prefix", str(installed))
    return root


def digest_of(root: Path) -> str:
    return hashlib.sha256((root / "vendor" / NAME).read_bytes()).hexdigest()


def write_pin(root: Path, what: str, digest: str) -> None:
    (root / pinned.PIN).write_text(f"# The library\n{what} --hash=sha256:{digest}\n", encoding="utf-8")


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as refused:
        pinned.check(root)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_pinned_library_runs(repository: Path):
    pinned.check(repository)
    (pinned.HERE / "__pycache__").mkdir()
    (pinned.HERE / "__pycache__" / "a.cpython-311.pyc").touch()
    pinned.check(repository)


@pytest.mark.parametrize("name", ["a.py", "page.css", "__init__.py"])
def test_a_changed_byte_is_refused_and_the_next_setup_installs_it_again(repository: Path, name: str):
    path = pinned.HERE / name
    path.write_bytes(path.read_bytes() + b"#")
    message = refusal(repository)
    assert message == (
        f"the library that runs is not the one of {NAME} (mlproduct/{name} differ); `make setup` installs it"
    )
    assert not (Path(sys.prefix) / pinned.MARK).exists()


def test_a_missing_file_is_refused(repository: Path):
    shutil.rmtree(pinned.HERE)
    assert "(mlproduct/__init__.py, mlproduct/a.py, mlproduct/page.css differ); `make setup`" in refusal(repository)


@pytest.mark.parametrize("name", ["more.py", "fast.so", "old.pyc", "parts/more.py"])
def test_a_module_more_is_refused(repository: Path, name: str):
    (pinned.HERE / name).parent.mkdir(exist_ok=True)
    (pinned.HERE / name).touch()
    message = refusal(repository)
    assert f"holds mlproduct/{name}, not part of the pinned library" in message
    assert "make setup" in message


def test_a_wheel_that_is_not_the_pinned_one_is_refused(repository: Path):
    with zipfile.ZipFile(repository / "vendor" / NAME, "a") as wheel:
        wheel.writestr("mlproduct/more.py", "")
    assert "its SHA-256 differs); `git checkout vendor` restores both" in refusal(repository)


def test_a_missing_wheel_is_refused(repository: Path):
    (repository / "vendor" / NAME).unlink()
    assert re.search(r"any\.whl is missing; `git checkout vendor` restores it$", refusal(repository))


@pytest.mark.parametrize("text", [None, "", "mlproduct\n", f"./vendor/{NAME}\n", "other==1 --hash=sha256:" + "0" * 64])
def test_a_pin_that_is_none_is_refused(repository: Path, text: str | None):
    pin = repository / pinned.PIN
    pin.unlink() if text is None else pin.write_text(text, encoding="utf-8")
    assert f"`git checkout {pinned.PIN}`" in refusal(repository)


def test_a_pin_over_two_lines_with_two_hashes_is_read(repository: Path):
    text = f"mlproduct==1.2.3 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n"
    (repository / pinned.PIN).write_text(text, encoding="utf-8")
    assert pinned.Pin.read(repository) == pinned.Pin(None, "1.2.3", ("0" * 64, "1" * 64))


def test_another_version_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pinned, "__version__", "1.2.2")
    assert "mlproduct 1.2.2 is installed, vendor/requirements.txt pins 1.2.3; `make setup`" in refusal(repository)


def test_a_library_of_an_index_is_checked_against_what_was_installed(repository: Path):
    write_pin(repository, "mlproduct==1.2.3", "0" * 64)
    assert "was not installed from a package index" in refusal(repository)
    info = pinned.HERE.parent / "mlproduct-1.2.3.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(record(FILES) + "mlproduct/__pycache__/a.cpython-311.pyc,,\n", encoding="utf-8")
    pinned.check(repository)
    (pinned.HERE / "a.py").write_text("x = 2\n", encoding="utf-8")
    assert "is not the one that was installed (mlproduct/a.py differ); `make setup`" in refusal(repository)
    write_pin(repository, "mlproduct==1.2.4", "0" * 64)
    assert "pins 1.2.4; `make setup`" in refusal(repository)


def test_an_ejected_library_runs_from_the_repository_alone(repository: Path, monkeypatch: pytest.MonkeyPatch):
    (repository / pinned.EJECTED).mkdir(parents=True)
    assert "the library of this repository is runtime/src/mlproduct" in refusal(repository)
    monkeypatch.setattr(pinned, "HERE", repository / pinned.EJECTED)
    pinned.check(repository)


def test_a_bento_runs_with_the_library_it_was_packaged_with(repository: Path, tmp_path: Path):
    src = tmp_path / "src"
    (src / "mlproduct-1.2.3.dist-info").mkdir(parents=True)
    (src / "mlproduct-1.2.3.dist-info" / "RECORD").write_text(record(FILES), encoding="utf-8")
    pinned.check_unpacked(src)
    (pinned.HERE / "a.py").write_text("x = 2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"packaged with \(mlproduct/a\.py differ\): unset PYTHONPATH"):
        pinned.check_unpacked(src)


def test_what_a_wheel_installs_holds_no_tests(repository: Path):
    names = [name for name, _ in pinned.files(repository / "vendor" / NAME)]
    assert names == [*FILES, "mlproduct-1.2.3.dist-info/RECORD"]
