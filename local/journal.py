"""What the embedded AWS keeps on disk: one row a thing, written as it changes, in one SQLite file.

Every change of state is written before anybody can see it from outside; all changes of one API call are one
transaction, and transactions are in the order of the calls. So whatever moment the process ends at, the file holds a
state that the runtime was in. A commit alone survives the end of the process; ``sync`` makes it survive the end of the
machine, and is called before a request from outside is answered.

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

#: Sorts behind every character that keys have.
_LAST = "\U0010ffff"


class Row(NamedTuple):
    """One entry: ``value`` is JSON, ``content`` is bytes."""

    key: str
    value: Any
    content: bytes | None


class Journal:
    """Keeps rows by kind and key. Safe from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises sqlite3.Error: it can't be, or is something else."""
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
        """Keep a row in place of the one before; it stays where that was in the order of ``rows``."""
        self._execute(
            "INSERT INTO kept (kind, key, value, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, content = excluded.content",
            (kind, key, json.dumps(value, separators=(",", ":")), content),
        )

    def delete(self, kind: str, key: str) -> None:
        """Forget a row, if there is one."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))

    def delete_below(self, kind: str, prefix: str) -> None:
        """Forget the rows whose keys begin so."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key >= ? AND key < ?", (kind, prefix, prefix + _LAST))

    def delete_before(self, kind: str, key: str) -> None:
        """Forget the rows whose keys are lower."""
        self._execute("DELETE FROM kept WHERE kind = ? AND key < ?", (kind, key))

    def rows(self, kind: str) -> list[Row]:
        """All of a kind, in the order in which they were first written."""
        with self._lock:
            found = self._database.execute(
                "SELECT key, value, content FROM kept WHERE kind = ? ORDER BY number", (kind,)
            ).fetchall()
        return [Row(key, json.loads(value), content) for key, value, content in found]

    @contextmanager
    def together(self) -> Iterator[None]:
        """All or nothing of what is written inside survives. What was written stays also when the scope fails: the
        memory has it, too.
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
        """What was written until now survives the end of the machine."""
        try:
            file = os.open(self._wal, os.O_RDONLY)
        except FileNotFoundError:
            return  # all of it is in the database, which SQLite has synchronised
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Write nothing more. What is still called afterwards has no effect: those calls are as good as never made."""
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
    """The journal of the endpoint of this process, for moto's objects, which know none."""
    return _active


def activate(journal: Journal | None) -> None:
    """Write to ``journal`` from now on; None: keep nothing."""
    global _active
    _active = journal
