"""The packaged service, started again whenever somebody asks for it: what stands in for a deployment in a drill."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from mlproduct.errors import DataError
from mlproduct.packaging.ship import PATIENCE, free_port


class Supervised:
    """A service on loopback.

    Attributes
    ----------
    port : int
        Where it listens.
    since : float
        When it answered first, by the monotonic clock.
    restart : str
        A command of the shell that starts it again and waits until it answers, as RESTART of deploy/on-call.env.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._wanted, self._log = folder / "restart", folder / "serve.log"
        name = shlex.quote(str(self._wanted))
        self.restart = f"touch {name}; while [ -e {name} ]; do sleep 0.1; done"
        self.since = time.monotonic()
        self._over = threading.Event()
        self._process = self._started()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer; the one above them starts one anew when it dies."""
        try:
            return psutil.Process(self._process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def _started(self) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", "mlproduct", "serve", "--port", str(self.port)]
        with self._log.open("a", encoding="utf-8") as output:
            # A session of its own: Ctrl-C reaches the drill, which ends the service in order.
            return subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True)

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        DataError
            If it does not; with the end of its log.
        """
        late = time.monotonic() + PATIENCE
        while time.monotonic() < late and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):  # noqa: S310
                    self.since = time.monotonic()
                    return
            except OSError:
                time.sleep(0.1)
        tail = "\n".join(self._log.read_text(encoding="utf-8").splitlines()[-20:])
        raise DataError(f"the service did not become ready; the end of its log:\n{tail}")

    def supervise(self) -> None:
        """Start it again whenever the file of `restart` appears, until `stop`."""
        while not self._over.wait(0.1):
            if self._wanted.exists():
                self._ended()
                self._process = self._started()
                self.wait()
                self._wanted.unlink()

    def stop(self) -> None:
        """End it, and the supervision."""
        self._over.set()
        self._ended()

    def _ended(self) -> None:
        family = [*self.workers()]
        for worker in family:  # one that is stopped hears nothing
            if worker.is_running():
                worker.send_signal(signal.SIGCONT)
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for worker in family:
            if worker.is_running():
                worker.kill()


@contextmanager
def supervised(folder: Path) -> Iterator[Supervised]:
    """Serve the newest Bento of this repository until the block ends."""
    service = Supervised(folder)
    thread = threading.Thread(target=service.supervise, daemon=True)
    try:
        service.wait()
        thread.start()
        yield service
    finally:
        service.stop()
