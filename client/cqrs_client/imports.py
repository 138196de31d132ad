"""Imports: each row of a file becomes a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

from cqrs_client.models import Import, ImportFile, ImportRow, Upload
from cqrs_client.paging import PAGE, items
from cqrs_client.reading import listed, read
from cqrs_client.transport import Transport
from cqrs_client.waiting import until

Progress = Callable[[Import], None]


class Imports:
    """``client.imports``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload_and_run(
        self,
        path: str | PathLike[str],
        table: str | None = None,
        *,
        progress: Progress | None = None,
        timeout: float = 3_600.0,
        encoding: str | None = None,
        mode: str | None = None,
    ) -> Import:
        """Upload a file, import it, and wait until the import has ended: its counters show the outcomes of the rows.

        Args:
            path: ``.csv``, ``.jsonl``, ``.ndjson`` or ``.zip``.
            table: names the import strategy; optional for an archive whose file names contain it.
            progress: called after each poll of the job.

        Raises:
            WaitTimeout: the import has not ended; it continues.
            OSError: the file can't be read.
            ApiError, Unreachable: everything else.
        """
        made = self.create(self.upload(path), table, encoding=encoding, mode=mode)
        return self.wait(made.id, progress=progress, timeout=timeout)

    def upload(self, path: str | PathLike[str]) -> str:
        """Upload a file and return its key. Raises the same as ``upload_and_run``."""
        file = Path(path)
        upload = read(Upload, self._transport.call("POST", "imports", "uploads", body={"fileName": file.name}))
        with file.open("rb") as content:
            self._transport.upload(upload.method, upload.url, content, file.stat().st_size)
        return upload.key

    def create(
        self,
        key: str,
        table: str | None = None,
        *,
        bucket: str | None = None,
        encoding: str | None = None,
        mode: str | None = None,
        idempotency_key: str | None = None,
    ) -> Import:
        """Import a file in the bucket, below the tenant's prefix."""
        given = {"key": key, "table": table, "bucket": bucket, "encoding": encoding, "mode": mode}
        body = {name: value for name, value in given.items() if value is not None}
        return read(Import, self._transport.call("POST", "imports", body=body, idempotency_key=idempotency_key))

    def create_row(self, table: str, row: Mapping[str, str], *, idempotency_key: str | None = None) -> str:
        """Import one row and return its id."""
        body = {"table": table, "row": dict(row)}
        answer = self._transport.call("POST", "imports", "rows", body=body, idempotency_key=idempotency_key)
        return str(answer["id"])

    def get(self, id: str) -> Import:
        """One job with its counters. Raises NotFound, ApiError, Unreachable."""
        return read(Import, self._transport.call("GET", "imports", id))

    def list(self, *, table: str | None = None, archives: bool = False, page: int = PAGE) -> Iterator[Import]:
        """The tenant's jobs by table, newest first; ``archives``: those of ``.zip`` files."""
        query = {"table": table, "archives": archives or None}
        return items(self._transport, Import, "imports", query=query, page=page)

    def rows(self, id: str, *, status: str | None = None, page: int = PAGE) -> Iterator[ImportRow]:
        """A job's rows in the order of the file; ``status``: only rows with this status, such as FAILED."""
        return items(self._transport, ImportRow, "imports", id, "rows", query={"status": status}, page=page)

    def files(self, id: str) -> Sequence[ImportFile]:
        """The files of an archive in import order."""
        answer = self._transport.call("GET", "imports", id, "files")
        return [read(ImportFile, one) for one in listed(answer)]

    def report(self, id: str) -> Iterator[bytes]:
        """The CSV files with the failed rows. Raises NotFound: no report exists (yet)."""
        answer = self._transport.call("GET", "imports", id, "report")
        for part in listed(answer, "parts"):
            yield self._transport.download(part["url"])

    def wait(self, id: str, *, progress: Progress | None = None, timeout: float = 3_600.0) -> Import:
        """Wait until the job has ended. Raises WaitTimeout, ApiError, Unreachable."""

        def look() -> Import:
            seen = self.get(id)
            if progress is not None:
                progress(seen)
            return seen

        return until(self._transport, look, lambda seen: seen.has_ended, timeout, f"import {id}")

    def retry(self, id: str) -> Import:
        """Import the failed rows again."""
        return read(Import, self._transport.call("POST", "imports", id, "retry"))

    def cancel(self, id: str) -> Import:
        """Cancel an import: import no further rows."""
        return read(Import, self._transport.call("POST", "imports", id, "cancel"))
