"""``./cqrs`` run in a copy of the repository (``local.testing.copies.checkout``) as a person would."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

#: For a whole run. The demo takes 18 s of a machine that has two cores for it, and five times as long on a busy one.
PATIENCE_SECONDS = 300.0


class Cli:
    """One run of ``./cqrs`` in a process group of its own. A context manager: leaving it ends what still runs.

    ``output`` and ``errors``: what it has written so far. ``terminal``: stderr is a pseudo-terminal.
    """

    def __init__(
        self, folder: Path, *arguments: str, terminal: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        self.output = self.errors = ""
        master, slave = os.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            ["./cqrs", *arguments],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        assert self.process.stdout is not None
        self._open = {master: "errors", self.process.stdout.fileno(): "output"}
        self._master = master

    def __enter__(self) -> Cli:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_anything_left():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        os.close(self._master)

    def wait_for(self, text: str) -> None:
        """Until it has written ``text``; fails when it ends first, or is too slow."""
        self._read_until(lambda: text in self.output + self.errors)
        assert text in self.output + self.errors, f"no {text!r} in {self.output}{self.errors}"

    def wait_for_match(self, pattern: str) -> re.Match[str]:
        """As ``wait_for``, for a pattern."""
        self._read_until(lambda: re.search(pattern, self.output + self.errors) is not None)
        found = re.search(pattern, self.output + self.errors)
        assert found is not None, f"no {pattern!r} in {self.output}{self.errors}"
        return found

    def wait_for_python(self) -> None:
        """Until the launcher has handed on to ``cli``."""
        command = Path(f"/proc/{self.process.pid}/cmdline")
        self._read_until(lambda: b"cli" in command.read_bytes())

    def end(self) -> int:
        """Wait for its end; the exit code."""
        self._read_until(lambda: False)
        return self.process.wait(PATIENCE_SECONDS)

    def is_anything_left(self) -> bool:
        """Whether a process of its group still exists."""
        self.process.poll()
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _read_until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._open and not reached():
            assert time.monotonic() < deadline, f"too slow: {self.output}{self.errors}"
            ready, _, _ = select.select(list(self._open), [], [], 0.01)
            for descriptor in ready:
                self._read(descriptor)

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, 65_536)
        except OSError:  # a pseudo-terminal whose other side is closed
            chunk = b""
        if not chunk:
            del self._open[descriptor]
            return
        name = self._open[descriptor]
        setattr(self, name, getattr(self, name) + chunk.decode(errors="replace"))
