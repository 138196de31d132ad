"""Reloads handlers, definitions and the stack's file when they are edited while ``./cqrs serve`` runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cli.terminal import complain
from local.deploy.errors import DeployError

#: Polling interval, and the interval while files are changing: an editor may still be writing (seconds).
POLL_S = 0.25
REST_S = 0.05
SUFFIXES = (".py", ".json", ".yaml")
#: The maximum number of files that a message names.
NAMED = 3

Files = Mapping[Path, tuple[int, int]]


class Watcher:
    """Calls ``renew`` after each change of files, in a separate thread, and reports the result.

    Args:
        paths: files, and folders with files.
        renew: deploys the change and returns what has changed. Raises DeployError: refused.
        base: paths in messages are relative to it.
    """

    def __init__(self, paths: Iterable[Path], renew: Callable[[], list[str]], base: Path) -> None:
        self._paths = tuple(paths)
        self._renew = renew
        self._base = base
        self._taken = self._files()
        self._before = self._taken

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="cqrs-watch", daemon=True).start()

    def look(self) -> None:
        """Reload changed files once they no longer change."""
        now = self._files()
        at_rest, self._before = now == self._before, now
        if at_rest and now != self._taken:
            changed = [path for path in {**self._taken, **now} if self._taken.get(path) != now.get(path)]
            self._taken = now
            self._take(changed)

    def _take(self, paths: list[Path]) -> None:
        names = [str(path.relative_to(self._base)) for path in sorted(paths)]
        what = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        try:
            renewed = self._renew()
        except DeployError as error:
            complain(f"not reloaded: {what}: {error}\nthe functions keep the previous code")
            return
        complain(f"reloaded: {what} ({', '.join(renewed) if renewed else 'nothing deployed has changed'})")

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(POLL_S if self._before == self._taken else REST_S):
            self.look()

    def _files(self) -> Files:
        found: dict[Path, tuple[int, int]] = {}
        for path in self._paths:
            for file in path.rglob("*") if path.is_dir() else [path]:
                if file.suffix in SUFFIXES and "__pycache__" not in file.parts:
                    try:
                        state = file.stat()
                    except FileNotFoundError:
                        continue  # an editor is replacing it
                    found[file] = (state.st_mtime_ns, state.st_size)
        return found
