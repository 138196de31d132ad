"""Names, ARNs and URLs in the functions' environments: as expected before declaration, and from declared resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi

from contract.messages import DEAD_LETTER_QUEUES, EVENT_BUS, FAILURE_QUEUES, QUEUES, STREAM_FAILURES, TOPICS
from contract.objects import PREFIXES
from contract.state_machines import MACHINES
from contract.tables import OPEN_INDEX, TABLES, WITH_OPEN_INDEX, WITH_STREAM
from infra.components.messaging import Messaging
from infra.components.storage import Storage
from infra.components.tables import Tables
from infra.naming.names import Account, Names
from infra.permissions import resources
from infra.permissions.resources import Resources

#: Of the same length as the label of a stream and the id of a key.
ANY_LABEL = "2026-01-01T00:00:00.000"
ANY_KEY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Places:
    """By logical name: tables, topics (ARNs), dead-letter queues (URLs, by source queue), state machines (ARNs), and
    separately the application's state machines.
    """

    tables: Mapping[str, pulumi.Input[str]]
    bucket: pulumi.Input[str]
    topics: Mapping[str, pulumi.Input[str]]
    event_bus: pulumi.Input[str]
    dead_letters: Mapping[str, pulumi.Input[str]]
    stream_failures: pulumi.Input[str]
    machines: Mapping[str, str]
    custom_machines: Mapping[str, str]
    metric_namespace: str


def machine_arns(names: Names, account: Account, machines: Iterable[str]) -> dict[str, str]:
    """Machine to ARN, built from names: a machine calls its function, whose permissions in turn name the machine, so a
    reference would be a cycle.
    """
    return {one: account.arn("states", f"stateMachine:{names.of(one)}") for one in machines}


def executions_of(machine: str) -> str:
    """The ARN pattern of a machine's executions, from the machine's ARN (Service Authorization Reference, Step
    Functions).
    """
    return f"{machine.replace(':stateMachine:', ':execution:')}:*"


def expected_places(names: Names, account: Account, workflows: Iterable[str] = ()) -> Places:
    """Places with the names that the resources will have. ``workflows``: the names of the application's."""
    queues = f"https://sqs.{account.region}.amazonaws.com/{account.account_id}"
    return Places(
        {table: names.of(table) for table in TABLES},
        names.bucket(account.account_id),
        {topic: account.arn("sns", names.of(topic)) for topic in TOPICS},
        names.of(EVENT_BUS),
        {queue: f"{queues}/{names.of(letters)}" for queue, letters in DEAD_LETTER_QUEUES.items()},
        f"{queues}/{names.of(STREAM_FAILURES)}",
        machine_arns(names, account, MACHINES),
        machine_arns(names, account, workflows),
        names.metric_namespace,
    )


def expected_resources(names: Names, account: Account, *, own_key: bool) -> Resources:
    """The ARNs that the resources will have; for those with ids from AWS (streams, keys), ARNs of the same length."""
    tables = {table: account.arn("dynamodb", f"table/{names.of(table)}") for table in TABLES}
    queues = (*QUEUES, *DEAD_LETTER_QUEUES.values(), *FAILURE_QUEUES)
    bucket = f"arn:{account.partition}:s3:::{names.bucket(account.account_id)}"
    machines = machine_arns(names, account, MACHINES)
    return Resources(
        {
            **{resources.table(name): arn for name, arn in tables.items()},
            **{resources.stream(name): f"{tables[name]}/stream/{ANY_LABEL}" for name in WITH_STREAM},
            **{resources.open_index(name): f"{tables[name]}/index/{OPEN_INDEX}" for name in WITH_OPEN_INDEX},
            **{resources.objects(prefix): f"{bucket}/{prefix}*" for prefix in PREFIXES},
            **{resources.topic(name): account.arn("sns", names.of(name)) for name in TOPICS},
            **{resources.queue(name): account.arn("sqs", names.of(name)) for name in queues},
            resources.EVENT_BUS: account.arn("events", f"event-bus/{names.of(EVENT_BUS)}"),
            resources.ALARMS: all_alarms(account),
            **{resources.machine(name): arn for name, arn in machines.items()},
            **{resources.executions(name): executions_of(arn) for name, arn in machines.items()},
        },
        account.arn("kms", f"key/{ANY_KEY}") if own_key else None,
    )


def all_alarms(account: Account) -> str:
    """The ARN pattern of ``ALARMS``."""
    return account.arn("cloudwatch", "alarm:*")


def declared_places(expected: Places, tables: Tables, messaging: Messaging, storage: Storage) -> Places:
    """Places from the declared resources; machines are declared after the functions, so theirs stay ``expected``."""
    return Places(
        {name: table.name for name, table in tables.by_name.items()},
        storage.bucket.bucket,
        {name: topic.arn for name, topic in messaging.topics.items()},
        messaging.event_bus.name,
        {name: queue.url for name, queue in messaging.dead_letter_queues.items()},
        messaging.failure_queues[STREAM_FAILURES].url,
        expected.machines,
        expected.custom_machines,
        expected.metric_namespace,
    )
