"""The embedded AWS's state on disk: one row per object, written when it changes, in one SQLite file.

Every change of state is written before it becomes visible from outside; all changes of one API call are one
transaction, and transactions are in the order of the calls. So whenever the process ends, the file has a state that the
runtime was in. A commit survives a crash of the process; ``sync`` makes it survive a crash of the machine, and is
called before a request from outside is answered.

A runtime without a folder has no journal: ``active()`` is None.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

#: Sorts after every character in keys.
_LAST = "\U0010ffff"


class Row(NamedTuple):
    """One entry: ``value`` is JSON, ``content`` is bytes."""

    key: str
    value: Any
    content: bytes | None


class Journal:
    """Stores rows by kind and key. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises sqlite3.Error: it can't be opened, or isn't a database."""
        self._lock = threading.RLock()
        self._depth = 0
        self._closed = False
        self._wal = path.with_name(f"{path.name}-wal")
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS kept"
                " (number INTEGER PRIMARY KEY, kind TEXT, key TEXT, value TEXT, content BLOB, UNIQUE (kind, key))"
            )
        except sqlite3.Error:
            self._database.close()
            raise

    def put(self, kind: str, key: str, value: Any, content: bytes | None = None) -> None:
        """Insert a row, or replace it, which keeps its place in the order of ``rows``."""
        self._execute(
            "INSERT INTO kept (kind, key, value, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, content = excluded.content",
            (kind, key, json.dumps(value, separators=(",", ":")), content),
        )

    def delete(self, kind: str, key: str) -> None:
        """Delete a row, if it exists."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))

    def delete_below(self, kind: str, prefix: str) -> None:
        """Delete the rows whose keys start with ``prefix``."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key >= ? AND key < ?", (kind, prefix, prefix + _LAST))

    def delete_before(self, kind: str, key: str) -> None:
        """Delete the rows with lower keys."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key < ?", (kind, key))

    def rows(self, kind: str) -> list[Row]:
        """All rows of a kind, in the order in which they were first written."""
        with self._lock:
            found = self._database.execute(
                "SELECT key, value, content FROM kept WHERE kind = ? ORDER BY number", (kind,)
            ).fetchall()
        return [Row(key, json.loads(value), content) for key, value, content in found]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, all writes are one transaction. It is committed even if the scope fails, since the state in memory
        has changed, too.
        """
        with self._lock:
            if self._depth == 0 and not self._closed:
                self._database.execute("BEGIN")
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0 and not self._closed:
                    self._database.execute("COMMIT")

    def sync(self) -> None:
        """Make everything written so far survive a crash of the machine."""
        try:
            file = os.open(self._wal, os.O_RDONLY)
        except FileNotFoundError:
            return  # everything is in the database file, which SQLite has synced
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Close the file. Later writes have no effect, as if their calls had never been made."""
        with self._lock:
            if not self._closed:
                if self._depth:
                    self._database.execute("ROLLBACK")
                self._closed = True
                self._database.close()

    def _execute(self, statement: str, parameters: tuple[Any, ...]) -> None:
        with self._lock:
            if not self._closed:
                self._database.execute(statement, parameters)


_active: Journal | None = None


def active() -> Journal | None:
    """The journal of this process's endpoint, for moto's objects, which have no reference to it."""
    return _active


def activate(journal: Journal | None) -> None:
    """Write to ``journal`` from now on; None: store nothing."""
    global _active
    _active = journal
