"""The machine that imports large files with a Distributed Map; it has one Map per format."""

from __future__ import annotations

import pulumi

from contract.objects import IMPORTS, MAP_RESULTS, NORMALISED, ZIP
from contract.state_machines import CSV_MAP, IMPORT_CSV, JSONL_MAP
from infra.capabilities.loader import read_buckets
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.state_machines import ONE_HOUR, StateMachine, StateMachineArgs, load_definition
from infra.configuration.stack_config import StackConfig

#: Prefixes in the bucket that the Map may read: uploaded files, unpacked files, and their copies.
READ = (IMPORTS, NORMALISED, ZIP)


def import_csv_machine(
    loader: Function, imports: Function, deployment: Deployment, opts: pulumi.ResourceOptions
) -> StateMachine:
    """The machine with its role and log group."""
    config = deployment.config
    return StateMachine(
        IMPORT_CSV,
        StateMachineArgs(
            load_definition("import_csv"),
            [loader, imports],
            deployment,
            numbers_of(config),
            {"BucketName": deployment.storage.bucket.bucket},
            also=(*_files(deployment), *_children(deployment)),
            may_take_seconds=config.import_timeout_hours * ONE_HOUR,
        ),
        opts,
    )


def numbers_of(config: StackConfig) -> dict[str, int]:
    """The configured numbers. The machine's timeout exceeds the job's, so that the machine can end the job itself."""
    numbers = {"/TimeoutSeconds": config.import_timeout_hours * ONE_HOUR + ONE_HOUR}
    for rows in (f"/States/{CSV_MAP}", f"/States/{JSONL_MAP}"):
        numbers[f"{rows}/MaxConcurrency"] = config.import_max_concurrency
        numbers[f"{rows}/ItemBatcher/MaxItemsPerBatch"] = config.import_batch_rows
        numbers[f"{rows}/ItemBatcher/MaxInputBytesPerBatch"] = config.import_batch_bytes
    return numbers


def _files(deployment: Deployment) -> list[dict[str, object]]:
    """Permissions of the reader and the ResultWriter (Step Functions Developer Guide, "IAM policies for using
    Distributed Map states"). Reading a version needs a separate action.
    """
    bucket = deployment.storage.bucket
    read = [pulumi.Output.concat(bucket.arn, f"/{prefix}*") for prefix in READ]
    read += [pulumi.Output.from_input(arn) for arn in read_buckets(deployment.config, deployment.account.partition)]
    results = pulumi.Output.concat(bucket.arn, f"/{MAP_RESULTS}*")
    written = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
    return [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": read},
        {"Effect": "Allow", "Action": written, "Resource": results},
    ]


def _children(deployment: Deployment) -> list[dict[str, object]]:
    """Child executions are started as executions of the machine itself (the same page)."""
    account, machine = deployment.account, deployment.names.of(IMPORT_CSV)
    executions = [account.arn("states", f"execution:{machine}{end}") for end in (":*", "/*")]
    return [
        {
            "Effect": "Allow",
            "Action": "states:StartExecution",
            "Resource": account.arn("states", f"stateMachine:{machine}"),
        },
        {"Effect": "Allow", "Action": ["states:DescribeExecution", "states:StopExecution"], "Resource": executions},
    ]
