"""The machine that imports the files of an archive one after the other."""

from __future__ import annotations

import pulumi

from contract.state_machines import IMPORT_ZIP, STANDARD
from infra.components.functions import Function
from infra.components.state_machines import (
    ONE_HOUR,
    StateMachine,
    StateMachineArgs,
    load_definition,
)
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Account, Names

#: Step Functions service quotas, "Maximum execution time".
ONE_YEAR = 31_536_000
TRIGGER = "/States/csv_files/ItemProcessor/States/trigger_single_csv/TimeoutSeconds"


def import_zip_machine(
    loader: Function,
    imports: Function,
    account: Account,
    names: Names,
    config: StackConfig,
    opts: pulumi.ResourceOptions,
) -> StateMachine:
    """The machine with its role and log group. Raises DefinitionError."""
    functions = {"LoaderFunctionArn": loader.function.arn, "ImportsFunctionArn": imports.function.arn}
    return StateMachine(
        IMPORT_ZIP,
        StateMachineArgs(
            IMPORT_ZIP,
            load_definition("import_zip"),
            functions,
            functions,
            names,
            account,
            config,
            numbers_of(config),
            STANDARD,
        ),
        opts,
    )


def numbers_of(config: StackConfig) -> dict[str, int]:
    """What configuration decides. A file has an hour more than its own job, so that the job can end by itself."""
    file_seconds = (config.import_timeout_hours + 1) * ONE_HOUR
    return {
        "/TimeoutSeconds": min(config.zip_max_entries * file_seconds + ONE_HOUR, ONE_YEAR),
        TRIGGER: file_seconds,
    }


def read_buckets(config: StackConfig, partition: str) -> dict[str, tuple[str, ...]]:
    """What the loader may do in the buckets of ``importBuckets``: ARN to actions."""
    return {
        f"arn:{partition}:s3:::{bucket}/*": ("s3:GetObject", "s3:GetObjectVersion") for bucket in config.import_buckets
    }
