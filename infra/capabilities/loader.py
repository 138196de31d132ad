"""The loader: the function that reads import files, and the stream records of the table that invoke it."""

from __future__ import annotations

import pulumi

from contract.functions import LOADER
from contract.messages import INVOCATION_FAILURES, STREAM_FAILURES
from contract.objects import IMPORTS, MAP_RESULTS, NORMALISED, REPORTS, ZIP
from contract.rows import CANCEL_REQUESTED, JOB, RESTART
from contract.state_machines import IMPORT_CSV, IMPORT_ZIP
from contract.tables import IMPORT_TMP, INSERT, MODIFY
from contract.work_status import CREATED, PROCESSING
from infra.capabilities.application import application_environment, with_application
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.event_sources import stream_mapping
from infra.components.functions import Function, FunctionSpec
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig
from infra.permissions.policies import READ_STREAM
from infra.permissions.resources import machine, objects, queue, stream, table

#: Running jobs that are being cancelled, whatever else has changed in them.
CANCELLED_JOBS = {
    "eventName": [MODIFY],
    "dynamodb": {
        "NewImage": {
            "kind": {"S": [JOB]},
            "status": {"S": [PROCESSING]},
            CANCEL_REQUESTED: {"BOOL": [{"exists": True}]},
        }
    },
}
#: Jobs that the sweeper found without progress; the code drops those whose ``restart`` did not change.
JOBS_STARTED_AGAIN = {
    "eventName": [MODIFY],
    "dynamodb": {
        "NewImage": {
            "kind": {"S": [JOB]},
            "status": {"S": [CREATED, PROCESSING]},
            RESTART: {"N": [{"exists": True}]},
        }
    },
}
#: Includes jobs that are retried.
NEW_JOBS = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [JOB]}, "status": {"S": [CREATED]}}},
}
#: The loader's filter of the table's stream.
PATTERNS = (NEW_JOBS, CANCELLED_JOBS, JOBS_STARTED_AGAIN)


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "IMPORT_TABLE": places.tables[IMPORT_TMP],
        **application_environment(config, places),
        "IMPORT_BUCKETS": with_more(places.bucket, config.import_buckets),
        "IMPORT_ZIP_STATE_MACHINE_ARN": places.machines[IMPORT_ZIP],
        "IMPORT_CSV_STATE_MACHINE_ARN": places.machines[IMPORT_CSV],
        "IMPORT_DIRECT_ROWS": str(config.import_direct_rows),
        "IMPORT_TIMEOUT_HOURS": str(config.import_timeout_hours),
        "ZIP_MAX_ENTRIES": str(config.zip_max_entries),
        "ZIP_MAX_BYTES": str(config.zip_max_bytes),
        "ZIP_MAX_RATIO": str(config.zip_max_ratio),
        "STREAM_FAILURES_URL": places.stream_failures,
    }


SPEC = FunctionSpec(
    LOADER,
    "Reads the files of import jobs, large ones for the import-csv machine; cancels jobs",
    timeout=900,
    grants={
        table(IMPORT_TMP): ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        # A file's version is pinned when it is found (S3: reading a version needs a separate action).
        objects(IMPORTS): ("s3:GetObject", "s3:GetObjectVersion"),
        # Files of archives, and copies for the Distributed Map.
        objects(ZIP): ("s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
        objects(NORMALISED): ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"),
        objects(MAP_RESULTS): ("s3:GetObject",),
        objects(REPORTS): ("s3:PutObject",),
        machine(IMPORT_CSV): ("states:StartExecution",),
        machine(IMPORT_ZIP): ("states:StartExecution",),
        stream(IMPORT_TMP): READ_STREAM,
        queue(STREAM_FAILURES): ("sqs:SendMessage",),
        queue(INVOCATION_FAILURES): ("sqs:SendMessage",),
    },
    environment=_environment,
    # A file of a million rows needs about 100 MB; more memory is more CPU.
    least_memory=2_048,
    configured=lambda config, account: read_buckets(config, account.partition),
)


def loader_function(deployment: Deployment, opts: pulumi.ResourceOptions) -> Function:
    """The function, with the jobs' stream."""
    args = with_application(SPEC, deployment)
    function = Function(LOADER, args, opts)
    stream_mapping("loader-import-stream", IMPORT_TMP, function, deployment, patterns=PATTERNS, batch_size=1)
    return function


def read_buckets(config: StackConfig, partition: str) -> dict[str, tuple[str, ...]]:
    """Permissions to read files in the buckets of ``importBuckets``: ARN to actions."""
    return {
        f"arn:{partition}:s3:::{bucket}/*": ("s3:GetObject", "s3:GetObjectVersion") for bucket in config.import_buckets
    }


def with_more(bucket: pulumi.Input[str], more: tuple[str, ...]) -> pulumi.Input[str]:
    """The stack's own bucket and the configured ones, comma-separated, for a variable."""
    rest = [f",{one}" for one in more]
    return bucket + "".join(rest) if isinstance(bucket, str) else pulumi.Output.concat(bucket, *rest)
