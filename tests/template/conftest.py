"""Real renderings of the checkout's template, and one environment that generated repositories share."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import copier
import coverage
import pytest
from filelock import FileLock

from mlscaffold.checks import released
from mlscaffold.source import BUNDLE, tags

ROOT = Path(__file__).parents[2]
RELEASES = [tag for tag in tags(BUNDLE) if tag < "v0.6"]  # the platform was copied into each repository
sys.path.insert(0, str(ROOT / "scripts"))

import build_runtime  # noqa: E402

STORAGE_LOCK = "{{% if storage == '{}' %}}requirements-storage.lock{{% endif %}}"

Render = Callable[..., Path]
Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the checkout's template as a git repository of its own, committed and tagged: to checks, it is released."""
    source = committed_template(tmp_path_factory.mktemp("template"))
    bundle = tmp_path_factory.mktemp("released") / "template.bundle"
    subprocess.run(["git", "bundle", "create", "--quiet", bundle, "--tags"], cwd=source, check=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(released, "BUNDLE", bundle)
        yield source


@pytest.fixture(scope="session")
def wheel(template: Path) -> Path:
    """Give the wheel of runtime/ that the template carries."""
    (found,) = (template / "template" / "vendor").glob("*.whl")
    return found


def committed_template(repository: Path) -> Path:
    """Copy the template, with a wheel built from runtime/, into a repository of its own."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "copier.yml", "template"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).exists():
            target = repository / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    build_runtime.write(ROOT / "runtime", repository / "template" / "vendor")
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A", "-f"],
        ["commit", "-q", "-m", "template"],
        ["tag", "v9.9.9"],
    ):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command], cwd=repository, check=True)
    return repository


def bundle_with_the_checkout(folder: Path) -> Path:
    """Make a bundle of all releases of copied platforms, and of the checkout's template as the next one, v9.9.9."""
    repository = folder / "template"
    subprocess.run(["git", "clone", "-q", "-b", RELEASES[-1], str(BUNDLE), str(repository)], check=True)
    subprocess.run(["git", "rm", "-rq", "."], cwd=repository, check=True)
    committed_template(repository)
    words = ["git", "bundle", "create", "-q", str(folder / "next.bundle"), "HEAD", "--tags"]
    subprocess.run(words, cwd=repository, check=True)
    return folder / "next.bundle"


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the checkout's template with answers, by real copier."""

    def rendered(**answers: object) -> Path:
        target = tmp_path_factory.mktemp("rendered") / str(answers.get("name", "churn"))
        data = {"name": "churn", **answers}
        copier.run_copy(str(template), target, data=data, defaults=True, quiet=True, vcs_ref="v9.9.9")
        return target

    return rendered


@pytest.fixture(scope="session")
def environment(wheel: Path) -> Path:
    """Install the template's lock once for all tests, and the library of this checkout."""
    return with_library(installed("requirements.lock"), wheel)


@pytest.fixture(scope="session")
def s3_environment(wheel: Path) -> Path:
    """Install what a repository holds whose storage is S3."""
    return with_library(installed("requirements.lock", STORAGE_LOCK.format("s3")), wheel)


@pytest.fixture(scope="session")
def service_environment() -> Path:
    """Install what the image of the service holds, and no more."""
    return installed("requirements-service.lock")


@pytest.fixture(scope="session")
def lint_environment() -> Path:
    """Install the tools of lint and locks, which stand apart."""
    return installed("requirements-lint.lock")


@pytest.fixture(scope="session")
def ops_environment() -> Path:
    """Install the tools of release, audit and manifests, which stand apart."""
    return installed("requirements-ops.lock")


def installed(*names: str) -> Path:
    """Install locks of the template, one after the other; kept in .cache between runs."""
    locks = [ROOT / "template" / name for name in names]
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:16]
    home = ROOT / ".cache" / "environments"
    home.mkdir(parents=True, exist_ok=True)
    venv = home / f"py{sys.version_info.major}{sys.version_info.minor}-{digest}"
    with FileLock(f"{venv}.lock"):
        if not (venv / ".ready").exists():
            uv = [sys.executable, "-m", "uv", "--quiet"]
            subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, str(venv)], check=True)
            # Not compiled: the half that tests import is, when it is first imported.
            for lock in locks:
                install = [*uv, "pip", "install", "--require-hashes", "--python", str(venv), "-r", str(lock)]
                subprocess.run(install, check=True)
            (venv / ".ready").touch()
    return venv


def with_library(venv: Path, wheel: Path) -> Path:
    """Install a wheel of the library into an environment, unless it holds this very one."""
    mark, digest = venv / ".wheel", hashlib.sha256(wheel.read_bytes()).hexdigest()
    with FileLock(f"{venv}.lock"):
        if not mark.exists() or mark.read_text() != digest:
            install = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--python", str(venv)]
            subprocess.run([*install, "--reinstall", "--no-deps", str(wheel)], check=True)
            mark.write_text(digest)
        installed_mark = venv / ".library"
        if not installed_mark.is_dir():  # a folder, so that a test in which the library is refused cannot delete it
            installed_mark.unlink(missing_ok=True)
            installed_mark.mkdir()
        measure(venv, yes=bool(os.environ.get("MEASURE_GENERATED")))
    return venv


def measure(venv: Path, *, yes: bool) -> None:
    """Let the coverage of the tests count what an environment runs, or not: it takes half as long again.

    The environment gets the copy of coverage that the tests have.
    """
    packages = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    start, copy = packages / "measured.pth", packages / "coverage"
    if yes == start.exists():
        return
    if yes:
        copy.symlink_to(Path(coverage.__file__).parent)
        start.write_text("import coverage; coverage.process_startup()\n")
    else:
        start.unlink()
        copy.unlink()


@pytest.fixture(scope="session")
def make(environment: Path, lint_environment: Path) -> Make:
    """Run make in a generated repository with the shared environments in place of its own."""
    return make_with(environment, lint_environment)


def make_with(environment: Path, linters: Path) -> Make:
    """Return a function that runs make in a generated repository with environments that are there already."""

    def run(project: Path, *words: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        # The shared environment is not this project's: the package comes from src/, and set-up counts as done.
        (environment / ".ready").touch()
        (environment / ".library").touch()
        (linters / ".ready").touch()
        finished = subprocess.run(
            ["make", *words, f"VENV={environment}", f"LINTERS={linters}"],
            cwd=project, capture_output=True, text=True, timeout=900, check=False,
            env={**os.environ, "PYTHONPATH": "src", **variables},
        )  # fmt: skip
        if check and finished.returncode:
            pytest.fail(f"make {' '.join(words)} exited {finished.returncode}:\n{finished.stdout}\n{finished.stderr}")
        return finished

    return run


@pytest.fixture(scope="session")
def packaged(render: Render, make: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and package penguins once for all workers: nobody works in it, a module takes a copy (`project`)."""
    base = tmp_path_factory.getbasetemp()
    project = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packaged" / "penguins"
    with FileLock(f"{project.parent}.lock"):
        if not project.exists():
            rendered = render(name="penguins")
            commit(rendered)
            make(rendered, "train", "WHY=the first")
            make(rendered, "package")
            commit(rendered, "the first model")
            shutil.copytree(rendered, project, symlinks=True)
    return project


@pytest.fixture(scope="module")
def project(packaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a module penguins of its own, trained, packaged and committed."""
    return Path(shutil.copytree(packaged, tmp_path_factory.mktemp("own") / packaged.name, symlinks=True))


@pytest.fixture(scope="session")
def copied_platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make penguins with the last copied platform and train it in its own environment, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    project = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "copied" / "penguins"
    with FileLock(f"{project.parent}.lock"):
        if not (project / ".git" / "refs" / "tags" / "v1.0.0").exists():
            words = [sys.executable, "-m", "mlscaffold", "new", str(project), "--defaults", "--ref", RELEASES[-1]]
            subprocess.run(words, check=True, capture_output=True)
            tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # uv is one of them
            done = subprocess.run(
                ["make", "data", "train", "WHY=the first"], cwd=project, env={**os.environ, "PATH": tools},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            commit(project, "the first model")
            tag(project, "v1.0.0")
    return project


@pytest.fixture
def copied(copied_platform: Path, tmp_path: Path) -> Path:
    """Give a test a trained repository of the last copied platform, released as v1.0.0, without its environment."""
    ours = shutil.ignore_patterns(".venv")
    return Path(shutil.copytree(copied_platform, tmp_path / copied_platform.name, symlinks=True, ignore=ours))


def tag(project: Path, version: str) -> None:
    """Tag the commit at hand."""
    words = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "tag", "-a", "-m", version, version]
    subprocess.run(words, cwd=project, check=True)


def commit(project: Path, message: str = "change") -> None:
    """Commit all of a generated repository, made a git repository where it is none."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    if not (project / ".git").exists():
        subprocess.run([*git, "init", "-q", "-b", "main"], cwd=project, check=True)
    subprocess.run([*git, "add", "-A"], cwd=project, check=True)
    subprocess.run([*git, "commit", "-q", "-m", message], cwd=project, check=True)
