"""Copied into a test's deployment as ``handlers.domain.asking``: classes of every kind, each asks for all."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

import boto3

from handlers import (
    DATA,
    LATEST,
    Change,
    Clock,
    Command,
    CommandInput,
    CommandPublisher,
    CustomWorkflows,
    EntityKey,
    EntityReader,
    ImportStrategy,
    InvokeContext,
    Objects,
    RequestConflict,
    Row,
    Secrets,
    StepLogger,
    TableStore,
    TaskCall,
    TokenGone,
    WorkflowEvent,
    import_strategy,
    sync_handler,
    task_handler,
    workflow,
)

CONTEXT = InvokeContext("application", "t1")


class Everything:
    """Uses all that a class may ask for, and what configuration and ``infra/application.py`` give beside."""

    def __init__(
        self,
        store: TableStore,
        objects: Objects,
        clock: Clock,
        publisher: CommandPublisher,
        reader: EntityReader,
        workflows: CustomWorkflows,
        secrets: Secrets,
        logger: StepLogger,
    ) -> None:
        self.store = store
        self.objects = objects
        self.clock = clock
        self.publisher = publisher
        self.reader = reader
        self.workflows = workflows
        self.secrets = secrets
        self.logger = logger

    def used(self, who: str) -> dict[str, Any]:
        """What came of it. May be called again."""
        self._keep_rows(who)
        self._keep_objects(who)
        self._publish(who)
        self._start(who)
        boto3.client("dynamodb").put_item(TableName=os.environ["OWN_TABLE"], Item={"pk": {"S": who}})
        boto3.client("sns").publish(TopicArn=os.environ["OWN_TOPIC"], Message=who)
        self.logger.info("used everything", who=who, at=self.clock.now())
        return {
            "colour": os.environ["COLOUR"],
            "secret": len(self.secrets.get("partner-key")),
            "parameter": len(self.secrets.get("partner-url")),
        }

    def _keep_rows(self, who: str) -> None:
        pk = f"ASKING#{who}"
        self.store.put(DATA, {"pk": pk, "sk": "a", "n": 1})
        self.store.update(DATA, pk, "a", Change(add={"n": 1}))
        assert self.store.get(DATA, pk, "a") == {"pk": pk, "sk": "a", "n": 2}
        assert len(self.store.query(DATA, pk).items) == 1
        self.store.delete(DATA, pk, "a")

    def _keep_objects(self, who: str) -> None:
        key = f"application/{who}"
        self.objects.put(key, b"{}")
        assert self.objects.get(key, max_bytes=10) == b"{}"
        self.objects.delete(key)

    def _publish(self, who: str) -> None:
        context = replace(CONTEXT, request_id=f"asking-{who}")
        given = CommandInput("NOTE", who, "a note", {"text": "x" * 100_000}, LATEST)
        command = self.publisher.publish_async(given, context)
        assert command is not None
        key = EntityKey("TENANT", "t1", "NOTE", who)
        version = self.reader.version(key, 1)
        assert version is not None
        assert len(version.command.attributes["text"]) == 100_000
        self.reader.pending(key)
        self.reader.get(key)
        self.reader.list("t1", "NOTE")
        self.reader.history(key)

    def _start(self, who: str) -> None:
        self.workflows.start("asking", {"n": 1}, who)
        with suppress(RequestConflict):
            self.workflows.start("asking", {"n": 2}, who)
        with suppress(TokenGone):
            self.workflows.resume("no token", {})
        with suppress(TokenGone):
            self.workflows.fail("no token", "Nobody")
        with suppress(TokenGone):
            self.workflows.heartbeat("no token")


@sync_handler("ITEM", id="asking")
class AskingHandler:
    """Asks for the state before, too."""

    def __init__(
        self, store: TableStore, objects: Objects, clock: Clock, publisher: CommandPublisher, reader: EntityReader,
        workflows: CustomWorkflows, secrets: Secrets, logger: StepLogger,
    ) -> None:  # fmt: skip
        self._all = Everything(store, objects, clock, publisher, reader, workflows, secrets, logger)

    def up(self, command: Command, previous: Command | None) -> None:
        self._all.used("handler" if command.tenant_code == "t1" else "row")


@task_handler("asking")
class AskingTask:
    def __init__(
        self, store: TableStore, objects: Objects, clock: Clock, publisher: CommandPublisher, reader: EntityReader,
        workflows: CustomWorkflows, secrets: Secrets, logger: StepLogger,
    ) -> None:  # fmt: skip
        self._all = Everything(store, objects, clock, publisher, reader, workflows, secrets, logger)

    def run(self, given: object, call: TaskCall) -> dict[str, Any]:
        return self._all.used("task")


@import_strategy("asked", columns=("code",), key=("code",), publish="SYNC")
class AskingStrategy(ImportStrategy):
    """Its rows are applied at once, with the handler above."""

    def __init__(
        self, store: TableStore, objects: Objects, clock: Clock, publisher: CommandPublisher, reader: EntityReader,
        workflows: CustomWorkflows, secrets: Secrets, logger: StepLogger,
    ) -> None:  # fmt: skip
        self._all = Everything(store, objects, clock, publisher, reader, workflows, secrets, logger)

    def map(self, row: Row) -> CommandInput:
        self._all.used(f"strategy-{os.environ['AWS_LAMBDA_FUNCTION_NAME'].rpartition('-')[2]}")
        return CommandInput("ITEM", row["code"], "an item", {}, LATEST)


@workflow("asking")
class AskingWorkflow:
    def __init__(
        self, store: TableStore, objects: Objects, clock: Clock, publisher: CommandPublisher, reader: EntityReader,
        workflows: CustomWorkflows, secrets: Secrets, logger: StepLogger,
    ) -> None:  # fmt: skip
        self._all = Everything(store, objects, clock, publisher, reader, workflows, secrets, logger)

    def only_step(self, event: WorkflowEvent) -> Any:
        return self._all.used("workflow") if event.input.get("uses") else event.input
