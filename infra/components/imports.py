"""Imports: the functions that load files and work on their rows, and what leads to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from contract.messages import IMPORT_QUEUE
from contract.rows import CANCEL_REQUESTED, COUNTERS, EXPECTED, JOB, LEFT, RESTART, ROW
from contract.tables import IMPORT_TMP, INSERT, MODIFY
from contract.work_status import CREATED, IMPORT_TERMINAL, PROCESSING
from infra.components.functions import Function, FunctionArgs, queue_mapping, stream_mapping
from infra.components.import_csv import import_csv_machine
from infra.components.import_zip import import_zip_machine, read_buckets
from infra.components.messaging import CONSUMER_TIMEOUT_SECONDS, Messaging
from infra.components.state_machines import StateMachine
from infra.components.storage import Storage
from infra.components.tables import Tables
from infra.configuration.stack_config import StackConfig
from infra.configuration.sync_targets import target_permissions
from infra.naming.names import Account, Names
from infra.permissions.policies import Resources

LOADER_TIMEOUT_SECONDS = 900
#: A file of a million rows needs about 100 MB; more memory is more CPU.
LOADER_MEMORY = 2_048
#: Running jobs that are being cancelled, whatever else of them has changed.
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
#: And jobs that are retried.
NEW_JOBS = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [JOB]}, "status": {"S": [CREATED]}}},
}
#: What the loader reads of the table's stream.
OF_THE_LOADER = (NEW_JOBS, CANCELLED_JOBS, JOBS_STARTED_AGAIN)
#: Rows that are to be queued, and whatever has come to its outcome; the code drops what only got another field.
CHANGED = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {
        "NewImage": {
            "kind": {"S": [JOB, ROW]},
            "status": {"S": [CREATED, *IMPORT_TERMINAL]},
        }
    },
}
#: A counter that has the last of its rows: at most 16 times for an attempt of a job.
COUNTED_ALL = {
    "eventName": [MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [COUNTERS]}, LEFT: {"N": ["0"]}, EXPECTED: {"N": [{"exists": True}]}}},
}


@dataclass(frozen=True)
class ImportsArgs:
    """What imports need to know."""

    names: Names
    config: StackConfig
    resources: Resources
    archive: pulumi.Archive
    tables: Tables
    messaging: Messaging
    storage: Storage
    account: Account
    environment: Mapping[str, pulumi.Input[str]]
    loader_environment: Mapping[str, pulumi.Input[str]]


class Imports(pulumi.ComponentResource):
    """``loader`` reads files, ``function`` works on rows and ends jobs; ``csv_machine`` has both for large files,
    ``zip_machine`` for archives.
    """

    loader: Function
    function: Function
    csv_machine: StateMachine
    zip_machine: StateMachine

    def __init__(self, name: str, args: ImportsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Imports", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        config, stream_arn = args.config, args.tables.by_name[IMPORT_TMP].stream_arn
        common = (args.resources, args.archive, args.names, config)
        self.loader = Function(
            "loader",
            FunctionArgs(
                "loader",
                "Reads the files of import jobs, large ones for the import-csv machine; cancels jobs",
                LOADER_TIMEOUT_SECONDS,
                args.loader_environment,
                *common,
                configured=read_buckets(config, args.account.partition),
                memory=max(LOADER_MEMORY, config.lambda_memory),
            ),
            child,
        )
        self.function = Function(
            "imports",
            FunctionArgs(
                "imports",
                "Import rows from the queue, and what follows from changes of jobs and rows",
                CONSUMER_TIMEOUT_SECONDS,
                args.environment,
                *common,
                target_permissions(config.sync_targets),
            ),
            child,
        )
        self.csv_machine = import_csv_machine(
            self.loader, self.function, args.storage, args.account, args.names, config, child
        )
        self.zip_machine = import_zip_machine(self.loader, self.function, args.account, args.names, config, child)
        stream_mapping(
            "loader-import-stream",
            stream_arn=stream_arn,
            function=self.loader,
            on_failure_arn=args.messaging.stream_failures.arn,
            patterns=OF_THE_LOADER,
            batch_size=1,
        )
        stream_mapping(
            "imports-import-stream",
            stream_arn=stream_arn,
            function=self.function,
            on_failure_arn=args.messaging.stream_failures.arn,
            patterns=[CHANGED, COUNTED_ALL],
            batch_size=config.stream_batch_size,
        )
        queue_mapping(
            "imports-action-queue",
            queue_arn=args.messaging.queues[IMPORT_QUEUE].arn,
            function=self.function,
            batch_size=config.queue_batch_size,
        )
        self.register_outputs({"loaderArn": self.loader.function.arn, "functionArn": self.function.function.arn})
