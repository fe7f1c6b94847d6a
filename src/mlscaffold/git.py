"""The only spawner of git."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO

from .errors import UserError

# What a hook's or an alias' surroundings set (`git rev-parse --local-env-vars`, without the configuration):
# they would send our commands to another repository.
_ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
)  # fmt: skip

# A user's habits must not change what a template renders to, nor run code while it does.
PLAIN = {
    "commit.gpgSign": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "core.safecrlf": "false",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}
# A repository that nobody vouches for is only read: it must not fetch what it lacks from where its configuration says
# (that runs the command it names), nor show other objects than those that were asked for.
UNTRUSTED = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
_AT_ONCE = 500  # names that git is asked for before it is heard: they fit into a pipe
_LINE = 4096  # bytes of the line that comes before an object
PATIENCE = 30  # seconds for one command that reads; a named pipe in place of .git/config never answers
FALLBACK = ("mlscaffold", "mlscaffold@localhost")


class GitError(Exception):
    """A git command failed: what it printed."""


def with_config(environ: Mapping[str, str], config: Mapping[str, str]) -> dict[str, str]:
    """Append settings to the configuration that the environment hands to git.

    Parameters
    ----------
    environ : mapping
        An environment; its own `GIT_CONFIG_COUNT` is kept.
    config : mapping
        Settings, by name.

    Returns
    -------
    dict
        The environment with the settings.
    """
    count = environ.get("GIT_CONFIG_COUNT", "0")
    first = int(count) if count.isdecimal() else 0
    pairs = {
        name: text
        for number, (key, value) in enumerate(config.items(), first)
        for name, text in ((f"GIT_CONFIG_KEY_{number}", key), (f"GIT_CONFIG_VALUE_{number}", value))
    }
    return {**environ, **pairs, "GIT_CONFIG_COUNT": str(first + len(config))}


def undisturbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what points git at another repository, and in which git never asks."""
    kept = {name: text for name, text in environ.items() if name not in _ELSEWHERE}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}


def git(
    *words: str | Path,
    cwd: Path | None = None,
    config: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    index: Path | None = None,
) -> str:
    """Run git and return what it prints.

    Parameters
    ----------
    *words : str or Path
        The command.
    cwd : Path, optional
        Where to run it.
    config : mapping, optional
        Settings for this one command.
    stdin : bytes, optional
        What to feed it.
    index : Path, optional
        An index in place of the repository's own.

    Returns
    -------
    str
        Standard output.

    Raises
    ------
    GitError
        If it fails.
    UserError
        If there is no git.
    """
    environ = with_config(undisturbed(os.environ), config or {})
    if index is not None:
        environ["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            ["git", *map(str, words)], cwd=cwd, env=environ, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.exists():
            raise GitError(f"no folder {cwd}") from error
        raise UserError("git is not installed; `mlscaffold doctor` says how to get it") from error
    if done.returncode:
        raise GitError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="surrogateescape")


def read(*words: str | Path, cwd: Path, stdin: bytes | None = None, most: int = 2**26) -> bytes:
    """Run plumbing in a repository that nobody vouches for, and return what it prints.

    Parameters
    ----------
    *words : str or Path
        `rev-parse`, `ls-tree`, `cat-file` and the like: commands that run none of what a configuration names, hooks
        aside, and these are switched off.
    cwd : Path
        Where to run it.
    stdin : bytes, optional
        What to feed it.
    most : int
        Bytes that are taken; a tree that holds itself many times over lists itself for ever.

    Returns
    -------
    bytes
        Standard output.

    Raises
    ------
    GitError
        If it fails, takes too long or says too much.
    """
    environ = with_config({**undisturbed(os.environ), **UNTRUSTED}, PLAIN)
    try:
        with TemporaryFile() as fed, TemporaryFile() as wrong:
            fed.write(stdin or b"")
            fed.seek(0)
            stdout, code = _bounded(["git", *map(str, words)], cwd, environ, (fed, wrong), most)
            wrong.seek(0)
            reason = wrong.read(2000).decode(errors="replace").strip()
    except FileNotFoundError as error:
        raise GitError(f"no folder {cwd}, or no git") from error
    if code:
        raise GitError(f"git {words[0]}: {reason}")
    return stdout


def _bounded(
    words: list[str], cwd: Path, environ: Mapping[str, str], files: tuple[IO[bytes], IO[bytes]], most: int
) -> tuple[bytes, int]:
    process = subprocess.Popen(words, cwd=cwd, env=environ, stdin=files[0], stdout=subprocess.PIPE, stderr=files[1])
    late = Timer(PATIENCE, process.kill)
    late.start()
    try:
        with process:
            stdout = process.stdout.read(most + 1) if process.stdout else b""
            if len(stdout) > most:
                process.kill()
                raise GitError(f"git {words[1]} said more than {most // 10**6} MB")
    finally:
        late.cancel()
    if process.returncode == -signal.SIGKILL:
        raise GitError(f"git {words[1]} did not answer within {PATIENCE} s")
    return stdout, process.returncode


class Objects:
    """The objects of a repository that nobody vouches for, from one process of git that is asked again and again.

    Parameters
    ----------
    process : Popen
        `git cat-file --batch`.
    most : int
        Bytes that are taken of all objects together.

    Attributes
    ----------
    heard : bool
        Whether it has given an object.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", most: int) -> None:
        self._process = process
        self._most = self._left = most
        self.heard = False

    def ask(self, *names: str) -> list[tuple[str, str, bytes]]:
        """Return name, kind and content of objects.

        Parameters
        ----------
        *names : str
            As git writes them, `HEAD^{commit}` too.

        Returns
        -------
        list of tuple
            In the order of the names.

        Raises
        ------
        GitError
            If one is not there, or there is too much.
        """
        found = []
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            try:
                self._sent.write("".join(f"{name}\n" for name in some).encode(errors="surrogateescape"))
                self._sent.flush()
            except OSError as error:
                raise GitError("git cat-file ended") from error
            found += [self._answer(name) for name in some]
        return found

    @property
    def _sent(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        return self._process.stdin

    def _answer(self, name: str) -> tuple[str, str, bytes]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it is a pipe
        line = stdout.readline(_LINE)
        words = line.decode(errors="replace").split()
        if not line.endswith(b"\n"):
            raise GitError("git cat-file ended")
        if len(words) != 3 or not words[2].isdecimal():
            raise GitError(f"{name} is not there; is it a partial clone, or broken?")
        size = int(words[2])
        self._left -= size
        if self._left < 0:
            raise GitError(f"git cat-file said more than {self._most // 10**6} MB")
        content = stdout.read(size + 1)
        if len(content) <= size:
            raise GitError("git cat-file ended")
        self.heard = True
        return words[0], words[1], content[:-1]


@contextmanager
def objects(folder: Path, most: int = 2**28) -> Iterator[Objects]:
    """Read objects of a repository that nobody vouches for.

    Parameters
    ----------
    folder : Path
        A folder of the repository.
    most : int
        Bytes that are taken of all objects together.

    Yields
    ------
    Objects
        They can be asked for as long as the block is open, for `PATIENCE` seconds.

    Raises
    ------
    GitError
        If git fails, or takes too long.
    """
    environ = with_config({**undisturbed(os.environ), **UNTRUSTED}, PLAIN)
    with TemporaryFile() as wrong:
        try:
            process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=wrong,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise GitError(f"no folder {folder}, or no git") from error
        late = Timer(PATIENCE, process.kill)
        late.start()
        try:
            with process:
                try:
                    yield Objects(process, most)
                finally:
                    process.kill()  # it has nothing more to say, and nothing to lose
                    with suppress(OSError):  # what could not be written to it
                        process.communicate()
        except GitError as error:
            if late.finished.is_set():
                raise GitError(f"git cat-file did not answer within {PATIENCE} s") from error
            wrong.seek(0)
            reason = wrong.read(2000).decode(errors="replace").strip()
            raise GitError(reason or str(error)) from error
        finally:
            late.cancel()


def asked(*words: str | Path, cwd: Path) -> str | None:
    """Run git and return what it prints, stripped, or None where it fails."""
    try:
        return git(*words, cwd=cwd).strip()
    except GitError:
        return None


@contextmanager
def plain_environment(config: Mapping[str, str], **variables: str) -> Iterator[None]:
    """Let every git that this process starts, by whichever library, work without the user's habits."""
    before = dict(os.environ)
    # An empty GIT_TEMPLATE_DIR means: copy no hooks and no excludes into new repositories.
    extra = {"GIT_TEMPLATE_DIR": "", **variables}
    os.environ.clear()
    os.environ.update(with_config({**undisturbed(before), **extra}, {**PLAIN, **config}))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def identity(folder: Path) -> tuple[str, str] | None:
    """Return the name and address that commits carry because none is configured, or None where one is."""
    found = {part: _configured(part, folder) for part in ("name", "email")}
    if all(found.values()):
        return None
    return found["name"] or FALLBACK[0], found["email"] or FALLBACK[1]


def _configured(part: str, folder: Path) -> str:
    named = os.environ.get(f"GIT_AUTHOR_{part.upper()}") and os.environ.get(f"GIT_COMMITTER_{part.upper()}")
    mail = os.environ.get("EMAIL") if part == "email" else None
    return named or asked("config", "--get", f"user.{part}", cwd=folder) or mail or ""


def commit_all(folder: Path, message: str) -> None:
    """Commit all of a work tree that is ours alone: no hook, no signature, nobody's name."""
    user = {"user.name": FALLBACK[0], "user.email": FALLBACK[1]}
    git("add", "--all", cwd=folder, config=PLAIN)
    words = ("commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign", "--message", message)
    git(*words, cwd=folder, config={**PLAIN, **user})


def first_commit(folder: Path, message: str) -> tuple[str, str] | None:
    """Make a folder a git repository with one commit of all that its own .gitignore files do not exclude.

    Parameters
    ----------
    folder : Path
        The folder.
    message : str
        Of the commit.

    Returns
    -------
    tuple of str, optional
        Name and address that were used because git had none.
    """
    # `safe.directory`: on some mounts new files belong to somebody else.
    config = {**PLAIN, "safe.directory": "*"}
    git("init", "--quiet", "--initial-branch=main", cwd=folder, config={"safe.directory": "*"})
    stand_in = identity(folder)
    if stand_in:
        config |= {"user.name": stand_in[0], "user.email": stand_in[1]}
    # `git add --all` would also leave out what the user's own exclude files name.
    files = git("ls-files", "-z", "--others", "--exclude-per-directory=.gitignore", cwd=folder, config=config)
    paths = files.encode(errors="surrogateescape")
    git("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", cwd=folder, config=config, stdin=paths)
    git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message, cwd=folder, config=config)
    return stand_in
