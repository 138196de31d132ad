"""Imports on a deployment of a test."""

from __future__ import annotations

import sys
from typing import Any

import boto3
import pytest

from handlers.core.aws import clients as aws
from handlers.imports.jobs.counters import counter_of
from handlers.imports.jobs.model import ImportJob
from handlers.imports.jobs.status import ROW, is_terminal
from handlers.imports.service import ImportService
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, Item
from tests.modules import airports
from tests.support.pipelines import CONTEXT
from tests.support.tasks import DeployedTasks

#: As the stacks' files name it.
AIRPORTS = "handlers.domain.airports"
TABLES = ("airports", "baskets", "cards", "faulty", "notes", "orders")


def check_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the module that is deployed, as an operator's checkout has it: ``./cqrs import`` makes its
    classes itself. The repository may have another one of that name, or none.
    """
    monkeypatch.setitem(sys.modules, AIRPORTS, airports)


class DeployedImports(DeployedTasks):
    """A deployment with an import service beside."""

    def __enter__(self) -> DeployedImports:
        super().__enter__()
        outputs = self.runtime.outputs
        self.bucket = outputs["bucketName"]
        self.tables[IMPORT_TMP] = outputs["import_tmpTableName"]
        self.import_store = DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: outputs["import_tmpTableName"]})
        buckets = self.runtime.host.get("cqrs-dev-loader").env["IMPORT_BUCKETS"].split(",")
        self.imports = ImportService(self.import_store, self.scheduler, TABLES, buckets)
        return self

    def upload(self, content: bytes, name: str) -> None:
        aws.s3().put_object(Bucket=self.bucket, Key=f"imports/{name}", Body=content)

    def begin_file(
        self, content: bytes, name: str = "airports.csv", table: str = "airports", **options: Any
    ) -> ImportJob:
        self.upload(content, name)
        return self.imports.create_csv_import(table, self.bucket, f"imports/{name}", CONTEXT, **options)

    def import_file(self, content: bytes, name: str = "airports.csv", **options: Any) -> ImportJob:
        """Until nothing is left to do; the job then."""
        job = self.begin_file(content, name, **options)
        self.run()
        return self.job(job)

    def import_archive(self, content: bytes, name: str = "airports.zip", **options: Any) -> ImportJob:
        """Until nothing is left to do; the job then."""
        aws.s3().put_object(Bucket=self.bucket, Key=f"imports/{name}", Body=content)
        job = self.imports.create_zip_import(self.bucket, f"imports/{name}", CONTEXT, **options)
        self.run()
        return self.job(job)

    @property
    def zip_machine_arn(self) -> str:
        return str(self.runtime.outputs["importZipStateMachineArn"])

    def job(self, job: ImportJob) -> ImportJob:
        return self.imports.get_import(job.id, CONTEXT)

    def import_rows(self) -> list[Item]:
        rows = [row for row in self.import_store.scan(IMPORT_TMP).items if row["kind"] == ROW]
        assert all(is_terminal(row) for row in rows)
        assert all(counter_of(row) for row in rows)
        return sorted(rows, key=lambda row: (row["jobId"], row["number"]))

    def rows_of(self, job: ImportJob) -> list[Item]:
        """Of one job, in the order of the file."""
        return [row for row in self.import_rows() if row["jobId"] == job.id]

    def report(self, job: ImportJob) -> str:
        client = boto3.client("s3", region_name=self.runtime.endpoint.region)
        bodies = [client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in job.report]
        return b"".join(bodies).decode("utf-8-sig")
