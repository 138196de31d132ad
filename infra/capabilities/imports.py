"""Imports: the function that processes rows and ends jobs, and the machines for large files and for archives."""

from __future__ import annotations

import pulumi

from contract import functions
from contract.messages import ALARM_TOPIC, DEAD_LETTER_QUEUES, IMPORT_QUEUE, MAIN_TOPIC, STREAM_FAILURES
from contract.objects import ATTRIBUTES, REPORTS
from contract.rows import COUNTERS, EXPECTED, JOB, LEFT, ROW
from contract.state_machines import IMPORT_CSV, IMPORT_ZIP
from contract.tables import COMMANDS, DATA, HISTORY, IMPORT_TMP, INSERT, MODIFY
from contract.work_status import CREATED, IMPORT_TERMINAL
from infra.capabilities.application import application_environment, with_application
from infra.capabilities.import_csv import import_csv_machine
from infra.capabilities.import_zip import import_zip_machine
from infra.capabilities.loader import loader_function
from infra.components.deployment import Deployment
from infra.components.environments import Environment, ttl_days
from infra.components.event_sources import queue_mapping, stream_mapping
from infra.components.functions import Function, FunctionSpec
from infra.components.messaging import CONSUMER_TIMEOUT_SECONDS, MAX_RECEIVE_COUNT
from infra.components.places import Places
from infra.components.state_machines import StateMachine
from infra.configuration.stack_config import StackConfig
from infra.configuration.sync_targets import target_permissions, targets_json
from infra.permissions.policies import READ_QUEUE, READ_STREAM
from infra.permissions.resources import machine, objects, queue, stream, table, topic

#: Rows to be queued, and jobs and rows with an outcome; the code drops records in which only other fields changed.
CHANGED = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {
        "NewImage": {
            "kind": {"S": [JOB, ROW]},
            "status": {"S": [CREATED, *IMPORT_TERMINAL]},
        }
    },
}
#: A counter whose last row has been counted: at most 16 records per attempt of a job.
COUNTED_ALL = {
    "eventName": [MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [COUNTERS]}, LEFT: {"N": ["0"]}, EXPECTED: {"N": [{"exists": True}]}}},
}


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "IMPORT_TABLE": places.tables[IMPORT_TMP],
        **application_environment(config, places),
        "MAIN_TOPIC_ARN": places.topics[MAIN_TOPIC],
        "ALARM_TOPIC_ARN": places.topics[ALARM_TOPIC],
        "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
        "SYNC_TARGETS": targets_json(config.sync_targets),
        "LEASE_SECONDS": str(config.lease_seconds),
        "TTL_DAYS": ttl_days(config),
        "STREAM_FAILURES_URL": places.stream_failures,
        "DEAD_LETTER_QUEUE_URL": places.dead_letters[IMPORT_QUEUE],
    }


SPEC = FunctionSpec(
    functions.IMPORTS,
    "Import rows from the queue, and what follows from changes of jobs and rows",
    CONSUMER_TIMEOUT_SECONDS,
    grants={
        # The job of an archive's file is put on the condition that the file has no outcome.
        table(IMPORT_TMP): (
            *("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem"),
            *("dynamodb:Query", "dynamodb:UpdateItem"),
        ),
        # Rows of tables that publish synchronously are applied here.
        table(COMMANDS): (
            *("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
            "dynamodb:UpdateItem",
        ),
        table(DATA): ("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        table(HISTORY): ("dynamodb:PutItem",),
        objects(ATTRIBUTES): ("s3:GetObject", "s3:PutObject"),
        objects(REPORTS): ("s3:PutObject",),
        machine(IMPORT_CSV): ("states:SendTaskSuccess",),
        machine(IMPORT_ZIP): ("states:SendTaskSuccess",),
        stream(IMPORT_TMP): READ_STREAM,
        topic(ALARM_TOPIC): ("sns:Publish",),
        topic(MAIN_TOPIC): ("sns:Publish",),
        queue(IMPORT_QUEUE): READ_QUEUE,
        queue(DEAD_LETTER_QUEUES[IMPORT_QUEUE]): ("sqs:SendMessage",),
        queue(STREAM_FAILURES): ("sqs:SendMessage",),
    },
    environment=_environment,
    configured=lambda config, _: target_permissions(config.sync_targets),
)


class Imports(pulumi.ComponentResource):
    """``loader`` reads files, ``function`` processes rows and ends jobs; ``csv_machine`` calls both for large files,
    ``zip_machine`` for archives.
    """

    loader: Function
    function: Function
    csv_machine: StateMachine
    zip_machine: StateMachine

    def __init__(self, name: str, deployment: Deployment, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Imports", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        config = deployment.config
        self.loader = loader_function(deployment, child)
        self.function = Function(functions.IMPORTS, with_application(SPEC, deployment), child)
        self.csv_machine = import_csv_machine(self.loader, self.function, deployment, child)
        self.zip_machine = import_zip_machine(self.loader, self.function, deployment, child)
        stream_mapping(
            "imports-import-stream",
            IMPORT_TMP,
            self.function,
            deployment,
            patterns=[CHANGED, COUNTED_ALL],
            batch_size=config.stream_batch_size,
        )
        queue_mapping(
            "imports-action-queue", IMPORT_QUEUE, self.function, deployment, batch_size=config.queue_batch_size
        )
        self.register_outputs({"loaderArn": self.loader.function.arn, "functionArn": self.function.function.arn})
