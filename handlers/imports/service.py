"""Creating and reading imports: the service for application code, the API and ``./cqrs import``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from handlers.core.clock import Clock, iso
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import NotFound, RequestConflict, ValidationError
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.core.key_parts import SEPARATOR, check_part
from handlers.core.keys import partition, request_sk
from handlers.core.values.arguments import whole_number
from handlers.core.values.json_values import check_json, json_bytes
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ulid
from handlers.imports.files.named_file import check_file
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import request_cancel
from handlers.imports.jobs.model import MODES, STEP_FUNCTION, Counts, ImportJob
from handlers.imports.jobs.open_index import opened
from handlers.imports.jobs.repository import ROW_DAYS, ImportRepository
from handlers.imports.jobs.retry import request_retry
from handlers.imports.keys import CSV_IMPORT_KIND, ZIP_IMPORT_KIND, ImportJobKey, ImportRowKey
from handlers.imports.zip.finalize import ImportedFile, counts_so_far, imported_files
from handlers.imports.zip.repository import ArchiveRepository
from handlers.store.conditions import absent
from handlers.store.port import IMPORT_TMP, ConditionFailed, Item, TableStore

MAX_ROW_BYTES = 190_000
MAX_LISTED = 100
#: Used as the table if the names of an archive's files contain their tables; real table names have no capitals.
ANY_TABLE = "ZIP"


class ImportService:
    """Imports of the callers' tenants.

    ``tables``: the names with a strategy. ``buckets``: the allowed buckets, the stack's own and ``importBuckets``.
    """

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        tables: Collection[str],
        buckets: Collection[str],
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tables = tables
        self._buckets = buckets
        self._random_bytes = random_bytes
        self._repository = ImportRepository(store, clock)
        self._files = ArchiveRepository(store, clock)

    def create_import(self, table: str, row: Mapping[str, str], context: InvokeContext) -> str:
        """Accept one row; the stream queues it. Returns its id, the same for the same ``request_id``.

        Raises:
            ValidationError: the table is unknown, or the row isn't a mapping of column names to text, or is too large.
            RequestConflict: the request id was used with a different row.
        """
        self._check_table(table)
        context = caller(context).checked()
        if not isinstance(row, Mapping):
            raise ValidationError("row", row, "text by column name")
        values = check_json("row", dict(row), MAX_ROW_BYTES)
        for name, value in values.items():
            if not isinstance(value, str):
                raise ValidationError(f"row.{name}", value, "text")
        key = ImportRowKey(context.tenant_code, f"{table}#{self._ulid(table, context)}")
        stored = self._put(
            {
                "pk": key.pk,
                "sk": key.sk,
                "kind": status.ROW,
                "tableName": table,
                "row": values,
                **opened(key.pk, key.sk, self._clock.now()),
                **self._common(context, [table, values]),
            }
        )
        return f"{stored['pk']}#{stored['sk']}"

    def create_csv_import(
        self,
        table: str,
        bucket: str,
        object_key: str,
        context: InvokeContext,
        *,
        encoding: str | None = None,
        mode: str | None = None,
    ) -> ImportJob:
        """Accept a file: JSON Lines if its name ends in ``.jsonl`` or ``.ndjson``, else CSV. The stream starts the
        loader, which reads it and writes its rows.

        ``mode``: DIRECT, for at most ``importDirectRows`` rows, or STEP_FUNCTION; None lets the loader decide. The same
        ``request_id`` with the same file returns the first job again.

        Raises:
            ValidationError: a field is wrong; nothing is written.
            RequestConflict: the request id was used for a different file.
        """
        self._check_table(table)
        context = caller(context).checked()
        check_file(bucket, object_key, encoding, self._buckets)
        if mode is not None and mode not in MODES:
            raise ValidationError("mode", mode, f"one of {', '.join(MODES)}, or none")
        key = ImportJobKey(CSV_IMPORT_KIND, context.tenant_code, table, self._ulid(table, context))
        row: Item = {
            "pk": key.pk,
            "sk": key.sk,
            "id": key.id,
            "kind": status.JOB,
            "tableName": table,
            "bucket": bucket,
            "key": object_key,
            **{name: value for name, value in (("encoding", encoding), ("mode", mode)) if value is not None},
            **opened(key.pk, key.sk, self._clock.now()),
            **self._common(context, [table, bucket, object_key, encoding, *([] if mode is None else [mode])]),
        }
        self._put(row)
        return self.get_import(key.id, context)

    def create_zip_import(
        self,
        bucket: str,
        object_key: str,
        context: InvokeContext,
        *,
        table: str | None = None,
        encoding: str | None = None,
    ) -> ImportJob:
        """Accept an archive; its files are imported sequentially, ordered by name.

        ``table``: of every file; None: taken from their names, ``<14 digits>-<table>.csv`` (or ``.jsonl``,
        ``.ndjson``). ``encoding``: of every file.
        The same ``request_id`` with the same archive returns the first job again. Each file has its own job, see
        ``list_files``.

        Raises:
            ValidationError: a field is wrong; nothing is written.
            RequestConflict: the request id was used for a different archive.
        """
        if table is not None:
            self._check_table(table)
        context = caller(context).checked()
        check_file(bucket, object_key, encoding, self._buckets)
        name = table or ANY_TABLE
        key = ImportJobKey(ZIP_IMPORT_KIND, context.tenant_code, name, self._ulid(name, context))
        given = {"table": table, "encoding": encoding}
        row: Item = {
            "pk": key.pk,
            "sk": key.sk,
            "id": key.id,
            "kind": status.JOB,
            "tableName": name,
            "mode": STEP_FUNCTION,
            "bucket": bucket,
            "key": object_key,
            **{field: value for field, value in given.items() if value is not None},
            **opened(key.pk, key.sk, self._clock.now()),
            **self._common(context, [ZIP_IMPORT_KIND, table, bucket, object_key, encoding]),
        }
        self._put(row)
        return self.get_import(key.id, context)

    def list_files(self, import_id: str, context: InvokeContext) -> list[ImportedFile]:
        """The files of an archive in import order; empty before it is unpacked.

        Raises:
            NotFound, ValidationError: there is no such archive import in the caller's tenant.
        """
        key = ImportJobKey.parse_id(import_id)
        if key.kind != ZIP_IMPORT_KIND:
            raise ValidationError("importId", import_id, "the id of an archive's import, ZIP_IMPORT#...")
        self._job(key, context)
        return imported_files(self._repository, self._files, key)

    def get_import(self, import_id: str, context: InvokeContext) -> ImportJob:
        """A job with its counters, read consistently; those of an archive are summed over its files, read one by one.

        Raises NotFound, also for a job of another tenant, and ValidationError.
        """
        key = ImportJobKey.parse_id(import_id)
        if key.kind == ZIP_IMPORT_KIND:
            job = self._job(key, context)
            counts = Counts.from_stored(job)
            if counts is None:
                counts = counts_so_far(imported_files(self._repository, self._files, key))
            return ImportJob.from_rows(job, counts)
        found = self._repository.job_and_counts(key) if key.tenant_code == caller(context).tenant_code else None
        if found is None:
            raise NotFound(f"{import_id}: there is no such import")
        return ImportJob.from_rows(*found)

    def cancel_import(self, import_id: str, context: InvokeContext) -> ImportJob:
        """Cancel an import: rows whose command is published complete normally, the others become CANCELLED.

        A job that hasn't begun is CANCELLED at once; others are when their last row has ended (``is_cancelling`` until
        then). A repeated call changes nothing.

        Raises:
            NotFound: there is no such job in the caller's tenant.
            WrongStatus: it has another outcome.
            TransientConflict: others kept changing it; call again.
        """
        self.get_import(import_id, context)
        request_cancel(self._repository, ImportJobKey.parse_id(import_id))
        return self.get_import(import_id, context)

    def retry_failed_rows(self, import_id: str, context: InvokeContext) -> ImportJob:
        """Retry the failed rows of a file in a new attempt of its job, and load rows that were never loaded.

        Rows that fail because of the file itself (too long, malformed, a rejected key) are unchanged. A row whose
        command failed in the pipeline fails again until that is redriven: its content is already the latest version.

        Raises:
            NotFound: there is no such job in the caller's tenant.
            WrongStatus: it is not FAILED, or is that of an archive.
            TransientConflict: others kept changing it; call again.
        """
        self.get_import(import_id, context)
        request_retry(self._repository, self._clock, ImportJobKey.parse_id(import_id))
        return self.get_import(import_id, context)

    def list_imports(
        self,
        context: InvokeContext,
        *,
        table: str | None = None,
        limit: int = 20,
        after: str | None = None,
        archives: bool = False,
    ) -> list[ImportJob]:
        """The tenant's jobs by table, newest first unless created with a request id; ``after``: id of the last one.

        ``archives``: jobs of archives, which are listed separately from those of their files.
        """
        limit = whole_number("limit", limit, 1, MAX_LISTED)
        pk = partition(ZIP_IMPORT_KIND if archives else CSV_IMPORT_KIND, caller(context).tenant_code)
        start = None if after is None else {"pk": pk, "sk": ImportJobKey.parse_id(after).sk}
        prefix = "" if table is None else f"{check_part('tableName', table)}{SEPARATOR}"
        page = self._store.query(IMPORT_TMP, pk, sk_prefix=prefix, descending=True, limit=limit, start=start)
        return [self.get_import(row["id"], context) for row in page.items]

    def _job(self, key: ImportJobKey, context: InvokeContext) -> Item:
        job = self._repository.job(key) if key.tenant_code == caller(context).tenant_code else None
        if job is None:
            raise NotFound(f"{key}: there is no such import")
        return job

    def _check_table(self, table: object) -> None:
        if not isinstance(table, str) or table not in self._tables:
            known = ", ".join(sorted(self._tables)) or "(none is registered)"
            raise ValidationError("tableName", table, f"one of {known}")

    def _ulid(self, table: str, context: InvokeContext) -> str:
        """Time-based, or derived from the request id if given, so that a repeated call finds the first one's row."""
        if context.request_id is None:
            return ulid(int(self._clock.now() * 1000), self._random_bytes(ULID_RANDOM_BYTES))
        request_sk(context.request_id)
        digest = hashlib.sha256(json_bytes([context.tenant_code, table, context.request_id])).digest()
        return ulid(int.from_bytes(digest[:6]) >> 3, digest[6 : 6 + ULID_RANDOM_BYTES])

    def _common(self, context: InvokeContext, content: list[Any]) -> dict[str, Any]:
        now = self._clock.now()
        fields = {
            "status": status.CREATED,
            "attempt": 1,
            "tenantCode": context.tenant_code,
            "contentHash": hashlib.sha256(json_bytes(content)).hexdigest(),
            "requestId": context.request_id,
            "createdAt": iso(now),
            "createdBy": context.user_id,
            "createdIp": context.source_ip,
            "updatedAt": iso(now),
            "ttl": int(now) + ROW_DAYS * SECONDS_PER_DAY,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _put(self, item: Item) -> Item:
        try:
            self._store.put(IMPORT_TMP, item, absent("pk"))
        except ConditionFailed as error:
            if error.item is None or error.item["contentHash"] != item["contentHash"]:
                raise RequestConflict(
                    f"requestId {item.get('requestId')!r} was used for {item['sk']} with different content; "
                    "use a new id"
                ) from None
            return error.item
        return item
