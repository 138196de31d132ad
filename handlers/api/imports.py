"""``/imports``: uploads, jobs with their counters, rows, reports, retry and cancel."""

from __future__ import annotations

import re
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BeforeValidator

from handlers.api.commands import RequestId
from handlers.api.http.identity import Caller
from handlers.api.http.models import DEFAULT_LIMIT, Flag, Id, Limit, failure_of, fitting, whole
from handlers.api.http.problems import Forbidden
from handlers.api.http.routes import OPERATOR, READER, WRITER, Routes, answer
from handlers.api.import_models import (
    AcceptedRow,
    FileList,
    GivenImport,
    GivenRow,
    GivenUpload,
    ImportPage,
    Report,
    ReportPart,
    RowPage,
    ShownFile,
    ShownImport,
    shown_counts,
    shown_import,
    shown_row,
)
from handlers.api.services import Services
from handlers.api.uploads import Upload, tenant_prefix, upload_to
from handlers.core.errors import NotFound
from handlers.core.values.json_values import json_bytes
from handlers.imports.jobs.listed_rows import list_rows
from handlers.imports.jobs.model import ImportJob
from handlers.imports.keys import ImportJobKey

ZIP_SUFFIX = ".zip"
#: Characters to replace in keys of files: the others are safe everywhere (S3 User Guide, "Naming Amazon S3 objects").
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""

    @routes.add(
        "POST", "/imports/uploads", WRITER, "Get an upload URL for a file", answers={200: Upload},
        example={"fileName": "airports.csv"},
    )  # fmt: skip
    def upload_file(given: Annotated[GivenUpload, Body()]) -> Response[Upload]:
        name = _UNSAFE.sub("-", given.file_name).lstrip("-.") or "file"
        return answer(200, upload_to(services, tenant_prefix(routes.caller.tenant), name))

    @routes.add(
        "POST", "/imports", WRITER, "Import a file, or one row", answers={202: ShownImport}, may=(409,),
        example={"table": "airports", "key": "imports/acme/01JABCDEFGHJKMNPQRSTVWXYZ0/airports.csv"},
    )  # fmt: skip
    def create_import(
        given: Annotated[GivenImport, Body()], idempotency_key: RequestId = None
    ) -> Response[ShownImport]:
        return answer(202, shown_import(_create(services, given, routes.caller, idempotency_key)))

    @routes.add(
        "POST", "/imports/rows", WRITER, "Import one row", answers={202: AcceptedRow}, may=(409,),
        example={"table": "airports", "row": {"ident": "00A", "type": "heliport"}},
    )  # fmt: skip
    def import_row(given: Annotated[GivenRow, Body()], idempotency_key: RequestId = None) -> Response[AcceptedRow]:
        id_ = services.imports.create_import(given.table, given.row, routes.caller.context(idempotency_key))
        return answer(202, AcceptedRow(id=id_))

    @routes.add("GET", "/imports", READER, "List the tenant's imports", answers={200: ImportPage})
    def list_imports(
        table: Annotated[str | None, Query()] = None,
        archives: Annotated[bool, Query(description="List archives instead of single files"), Flag] = False,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Annotated[str | None, Query(description="`cursor` of the previous page")] = None,
    ) -> Response[ImportPage]:
        after = None if cursor is None else _own(cursor, routes.caller)
        context = routes.caller.context()
        found = services.imports.list_imports(context, table=table, limit=limit, after=after, archives=archives)
        following = found[-1].id if len(found) == limit else None
        return answer(200, ImportPage(items=[shown_import(one) for one in found], cursor=following))

    @routes.add(
        "GET", "/imports/<id>", READER, "Get one import with its counters", answers={200: ShownImport}, may=(404,)
    )
    def get_import(id: Id) -> Response[ShownImport]:
        return answer(200, shown_import(_job(services, id, routes.caller)))

    @routes.add(
        "GET", "/imports/<id>/files", READER, "List the files of an archive", answers={200: FileList}, may=(404,)
    )
    def list_files_of_import(id: Id) -> Response[FileList]:
        files = services.imports.list_files(_own(id, routes.caller), routes.caller.context())
        shown = [
            ShownFile(
                name=one.name,
                table=one.table,
                status=one.status,
                counts=shown_counts(one.counts),
                id=one.job,
                error=failure_of(one.error),
                report=list(one.report),
                encoding=one.encoding,
            )
            for one in files
        ]
        return answer(200, FileList(items=shown))

    @routes.add("GET", "/imports/<id>/rows", READER, "List rows with their outcome", answers={200: RowPage}, may=(404,))
    def list_rows_of_import(
        id: Id,
        status: Annotated[str | None, Query(description="Only rows with this status, such as FAILED")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Annotated[
            int | None, Query(ge=0, description="`cursor` of the previous page"), BeforeValidator(whole)
        ] = None,
    ) -> Response[RowPage]:
        job = _job(services, id, routes.caller)
        page = list_rows(
            services.store,
            job.key,
            limit=limit,
            after=-1 if cursor is None else cursor,
            keep=lambda row: status is None or row["status"] == status,
        )
        shown = fitting(page.rows, lambda row: len(json_bytes(row["row"])))
        after = page.after if len(shown) == len(page.rows) else int(shown[-1]["sk"])
        return answer(
            200, RowPage(items=[shown_row(one) for one in shown], cursor=None if after is None else str(after))
        )

    @routes.add(
        "GET", "/imports/<id>/report", READER, "Get the failed rows as CSV files", answers={200: Report}, may=(404,)
    )
    def get_report(id: Id) -> Response[Report]:
        job = _job(services, id, routes.caller)
        if not job.report:
            raise NotFound(f"{job.id}: it has no report, because no row failed or it has not ended")
        return answer(200, Report(parts=[ReportPart(key=key, url=services.links.download(key)) for key in job.report]))

    @routes.add(
        "POST", "/imports/<id>/retry", OPERATOR, "Retry the failed rows", answers={202: ShownImport}, may=(404, 409)
    )
    def retry_import(id: Id) -> Response[ShownImport]:
        own = _own(id, routes.caller)
        return answer(202, shown_import(services.imports.retry_failed_rows(own, routes.caller.context())))

    @routes.add(
        "POST",
        "/imports/<id>/cancel",
        OPERATOR,
        "Cancel an import: import no further rows",
        answers={202: ShownImport},
        may=(404, 409),
    )
    def cancel_import(id: Id) -> Response[ShownImport]:
        own = _own(id, routes.caller)
        return answer(202, shown_import(services.imports.cancel_import(own, routes.caller.context())))


def _create(services: Services, given: GivenImport, caller: Caller, request_id: str | None) -> ImportJob:
    context = caller.context(request_id)
    if not given.key.startswith(tenant_prefix(caller.tenant)):
        raise Forbidden(f"key: only files under {tenant_prefix(caller.tenant)} may be imported")
    bucket = services.objects.bucket if given.bucket is None else given.bucket
    if given.key.lower().endswith(ZIP_SUFFIX):
        return services.imports.create_zip_import(
            bucket, given.key, context, table=given.table, encoding=given.encoding
        )
    return services.imports.create_csv_import(
        given.table or "", bucket, given.key, context, encoding=given.encoding, mode=given.mode
    )


def _own(import_id: str, caller: Caller) -> str:
    """The id, if it names the caller's tenant. Raises Forbidden, ValidationError."""
    if ImportJobKey.parse_id(import_id).tenant_code != caller.tenant:
        raise Forbidden("the import belongs to another tenant")
    return import_id


def _job(services: Services, import_id: str, caller: Caller) -> ImportJob:
    return services.imports.get_import(_own(import_id, caller), caller.context())
