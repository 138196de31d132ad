"""Takes what is edited while ``./cqrs serve`` runs: the code of handlers, definitions, the stack's file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cli.terminal import complain
from local.deploy.errors import DeployError

#: How often it looks, and how long a change rests until it is taken: an editor may still write (seconds).
POLL_S = 0.25
REST_S = 0.05
SUFFIXES = (".py", ".json", ".yaml")
#: Files that a message names.
NAMED = 3

Files = Mapping[Path, tuple[int, int]]


class Watcher:
    """Calls ``renew`` after each change of files, on a thread of its own, and says what came of it.

    Args:
        paths: files, and folders that are looked through.
        renew: takes the change; answers what is another now. Raises DeployError: refused.
        base: of the paths in messages.
    """

    def __init__(self, paths: Iterable[Path], renew: Callable[[], list[str]], base: Path) -> None:
        self._paths = tuple(paths)
        self._renew = renew
        self._base = base
        self._taken = self._files()
        self._before = self._taken

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="cqrs-watch", daemon=True).start()

    def look(self) -> None:
        """Take what has changed, if it has come to rest."""
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
                        continue  # an editor puts another one in its place
                    found[file] = (state.st_mtime_ns, state.st_size)
        return found
