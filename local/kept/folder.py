"""The folder of ``./cqrs serve --data``: one file of state, for one stack, one format version and one process."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from local.journal import Journal

#: Incremented with every incompatible change of the stored state.
FORMAT = 1
_FILE = "state.sqlite"
_KIND = "folder"


class FolderError(Exception):
    """The folder can't be used; the text says why and what to do."""


class DataFolder:
    """An open folder, locked exclusively until ``close`` or the end of the process.

    Args:
        path: created if it doesn't exist.
        owner: the state's project, stack and region, which are stored with it.

    Raises:
        FolderError: another process uses it, it was written by another version or for another owner, or it can't be
            read.
    """

    def __init__(self, path: Path, owner: Mapping[str, str]) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / "lock").open("a")
        except OSError as error:
            raise FolderError(f"{path} can't be used: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise FolderError(
                f"{path} is in use by another ./cqrs serve: end that one, or name another folder"
            ) from error
        try:
            self.journal = Journal(path / _FILE)
        except sqlite3.Error as error:
            self._lock.close()
            raise FolderError(f"{path / _FILE} can't be read: {error}; move it away to start over") from error
        try:
            self._check(owner)
        except FolderError:
            self.close()
            raise

    def _check(self, owner: Mapping[str, str]) -> None:
        kept = {row.key: row.value for row in self.journal.rows(_KIND)}
        if not kept:
            with self.journal.together():
                self.journal.put(_KIND, "format", FORMAT)
                self.journal.put(_KIND, "owner", dict(owner))
            return
        if kept["format"] != FORMAT:
            raise FolderError(
                f"{self.path} was written by another version of this program: its state has format {kept['format']}, "
                f"this version reads {FORMAT}. Use the version that wrote it, or name another folder"
            )
        if kept["owner"] != dict(owner):
            raise FolderError(
                f"{self.path} has the state of {json.dumps(kept['owner'])}, not of {json.dumps(dict(owner))}: "
                "name another folder, or that stack"
            )

    def close(self) -> None:
        """Close the file, and release the folder."""
        self.journal.close()
        self._lock.close()
