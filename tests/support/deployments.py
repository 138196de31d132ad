"""The real program, deployed on the local runtime with a virtual clock, for scenario tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from handlers.commands.attributes import AttributeStore
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.aws import clients as aws
from handlers.objects.s3 import S3Objects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from handlers.store.values import item_from_dynamo
from local.aws.tables.streams import read_new_records
from local.functions.model import InvokeResult
from local.runtime import LocalRuntime
from local.scheduler import Scheduler
from local.states.running.executions import Execution
from local.testing.application import shared_work_dir
from local.testing.replay import ReplayedEvaluation
from tests.support import recorder
from tests.support.permissions import calls_not_allowed
from tests.support.pipelines import CONTEXT, KEY
from tests.support.projects import project, shared_project

RECORDING = "handlers.domain.recording"
__all__ = ["RECORDING", "REPLAYED", "Deployed", "project", "shared_project"]

#: One evaluation of the program per configuration and test process: it takes most of a deployment's time.
REPLAYED = ReplayedEvaluation()


class Deployed:
    """A context manager: the deployment, a publisher, and ways to look at what happened."""

    def __init__(
        self,
        tmp_path: Path,
        *,
        seed: int | None = None,
        config: Mapping[str, str] | None = None,
        workflow: str = "STANDARD",
        recording: bool = True,
        extra: Mapping[str, str] | None = None,
        **runtime: Any,
    ) -> None:
        self.project_dir = shared_project(extra)
        self.recorder = recorder.install()
        modules = [RECORDING] if recording else ["handlers.domain.orders", "handlers.domain.airports"]
        modules += [f"handlers.domain.{name.removesuffix('.py')}" for name in extra or {} if name.endswith(".py")]
        self.scheduler = Scheduler.virtual(seed)
        self.runtime = LocalRuntime(
            project_dir=self.project_dir,
            scheduler=self.scheduler,
            evaluate=REPLAYED,
            work_dir=shared_work_dir(),
            importable=("tests",),
            config={
                "handlerModules": json.dumps(modules),
                "commandWorkflow": workflow,
                "statusDetail": "full",
                **(config or {}),
            },
            **runtime,
        )
        self.payloads: list[tuple[str, Any]] = []
        self.answers: list[tuple[str, Any, InvokeResult]] = []

    def __enter__(self) -> Deployed:
        self.runtime.start()
        outputs = self.runtime.outputs
        self.tables = {name: outputs[f"{name}TableName"] for name in (COMMANDS, DATA, HISTORY)}
        for table in (COMMANDS, DATA):  # ``images`` shows all: nothing is trimmed meanwhile
            read_new_records(self.runtime.endpoint, self.tables[table], 0, reader="tests")
        self.machine_arn = outputs["commandStateMachineArn"]
        self.store = DynamoTableStore(aws.dynamodb(), self.tables)
        self.attributes = AttributeStore(S3Objects(aws.s3, outputs["bucketName"]), outputs["inlineAttributeLimit"])
        self.publisher = CommandPublisher(self.store, self.attributes, self.scheduler)
        self.repository = self.publisher.repository
        self._sqs = boto3.client("sqs", region_name=self.runtime.endpoint.region)
        self._alarm_queue = self.subscribe(outputs["alarmTopicArn"], "test-alarms")
        self.runtime.host.interceptors.append(self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Also INF-02, for every test with a deployment: what functions and machines did, their roles allow."""
        used = self.runtime.endpoint.calls_by_function()
        self.policies = self.runtime.deployment.role_policies
        self.machine_policies = self.runtime.deployment.machine_policies
        self.used = {name: calls for name, calls in used.items() if name not in self.machine_policies}
        self.used_by_machines = {name: calls for name, calls in used.items() if name in self.machine_policies}
        self.runtime.stop()
        if kind is None:
            refused = calls_not_allowed(used, {**self.policies, **self.machine_policies})
            assert not refused, "AWS would have refused: " + "; ".join(refused)

    # -- doing --------------------------------------------------------------------------------------

    def publish(self, given: CommandInput, **context: Any) -> Command:
        command = self.publisher.publish_async(given, replace(CONTEXT, **context))
        assert command is not None
        return command

    def publish_versions(self, count: int, *, code: str = "o1", after: int = 0) -> None:
        for version in range(after, after + count):
            attributes = {"n": version + 1}
            self.publish(CommandInput("ORDER", code, f"v{version + 1}", attributes, version=version))

    def redeploy(self, function: str, env: Mapping[str, str]) -> None:
        """Change a function's environment, as a later deployment would."""
        spec = self.runtime.host.get(function)
        self.runtime.host.update(replace(spec, env={**spec.env, **env}))

    def run(self) -> None:
        """Until nothing is left to do."""
        self.scheduler.run_until_idle()

    @contextmanager
    def intercepted(
        self, state: str, action: Callable[[Any, Callable[[Any], InvokeResult]], InvokeResult]
    ) -> Iterator[None]:
        """``intercept`` for a while."""
        self.intercept(state, action)
        interceptor = self.runtime.host.interceptors[-1]
        yield
        self.runtime.host.interceptors.remove(interceptor)

    def intercept(self, state: str, action: Callable[[Any, Callable[[Any], InvokeResult]], InvokeResult]) -> None:
        """Let ``action(payload, proceed)`` make the states function's calls in one state."""

        def interceptor(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if isinstance(payload, dict) and payload.get("context", {}).get("State", {}).get("Name") == state:
                return action(payload, proceed)
            return proceed(payload)

        self.runtime.host.interceptors.append(interceptor)

    @property
    def machine_arns(self) -> dict[str, str]:
        """Of both command machines, by type."""
        machines = self.runtime.executions.list_state_machines()
        return {machine.type: machine.arn for machine in machines if "command-handler" in machine.name}

    # -- looking ------------------------------------------------------------------------------------

    def row(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        row = self.repository.command(VersionKey(key, version))
        assert row is not None
        return row

    def data(self, key: EntityKey = KEY) -> dict[str, Any]:
        row = self.repository.data(key)
        assert row is not None
        return row

    def history(self, key: EntityKey = KEY) -> list[dict[str, Any]]:
        return list(self.repository.history(key))

    def images(self, table: str) -> list[dict[str, Any]]:
        """Every state of every row of a table, in the order of the writes."""
        records, _ = read_new_records(self.runtime.endpoint, self.tables[table], 0)
        return [item_from_dynamo(one["dynamodb"]["NewImage"]) for one in records if "NewImage" in one["dynamodb"]]

    def statuses(self, version: int, key: EntityKey = KEY) -> list[str]:
        """The statuses that one command went through."""
        seen: list[str] = []
        for image in self.images(COMMANDS):
            if image["sk"] == key.version_sk(version) and (not seen or seen[-1] != image["status"]):
                seen.append(image["status"])
        return seen

    def applied_versions(self, key: EntityKey = KEY) -> list[int]:
        """The versions that the data row had, in order."""
        return [image["version"] for image in self.images(DATA) if (image["pk"], image["sk"]) == (key.pk, key.sk)]

    def executions(self) -> list[Execution]:
        """All executions of the command machine, oldest first."""
        return list(reversed(self.runtime.executions.list_executions(self.machine_arn)))

    def alarms(self) -> list[dict[str, Any]]:
        """Alarms since the last call."""
        return [json.loads(json.loads(body)["Message"]) for body in self.drain(self._alarm_queue)]

    def drain(self, queue_url: str) -> list[str]:
        """The bodies of a queue's visible messages, which are then gone."""
        found: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def states_called(self) -> list[str]:
        """The states whose Lambda calls were made, in order."""
        payloads = (payload for _, payload in self.payloads if isinstance(payload, dict) and "context" in payload)
        return [payload["context"]["State"]["Name"] for payload in payloads]

    def _note(self, function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        self.payloads.append((function, payload))
        result = proceed(payload)
        self.answers.append((function, payload, result))
        return result

    def subscribe(self, topic_arn: str, name: str, actions: Sequence[str] = ()) -> str:
        """A new queue that gets a topic's messages, if ``actions`` is given only those; answers its URL."""
        url = str(self._sqs.create_queue(QueueName=name)["QueueUrl"])
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns = boto3.client("sns", region_name=self.runtime.endpoint.region)
        attributes = {"FilterPolicy": json.dumps({"action": list(actions)})} if actions else {}
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url
