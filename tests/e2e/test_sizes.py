"""Sizes on the local runtime: large attributes, large results, many targets (PUB-11, PIPE-06, PIPE-09, PIPE-10)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.state_machines import INLINE
from handlers.commands.model import CommandInput
from handlers.core.errors import ValidationError
from handlers.core.values.json_values import json_bytes
from handlers.store.port import COMMANDS, DATA
from local.aws.model import AwsCall
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, order

KIB = 1024
MIB = 1024 * KIB
PAYLOAD_LIMIT = 262_144
HISTORY_LIMIT = 25_000
#: Far below the limit: keys, counts and outcomes, whatever the attributes are.
SMALL = 4 * KIB


def big(size: int, version: int = 0, mark: str = "a", *, code: str = "o1") -> CommandInput:
    attributes: dict[str, Any] = {"mark": mark, "text": ""}
    attributes["text"] = "x" * (size - len(json_bytes(attributes)))
    return CommandInput("ORDER", code, "big", attributes, version=version)


def largest_payload(deployed: Deployed) -> int:
    """Bytes of the largest input or answer of a state. (Stream records hold rows, and a row its inline attributes.)"""
    given = [payload for name, payload in deployed.payloads if name.endswith("-states")]
    answered = [result.payload for name, _, result in deployed.answers if name.endswith("-states")]
    return max(len(json.dumps(one).encode()) for one in [*given, *answered, None])


def stored_objects(deployed: Deployed) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=deployed.runtime.outputs["bucketName"], Prefix="attributes/")
    return [one["Key"] for one in listed.get("Contents", [])]


SIZES = [KIB, 63 * KIB, 65 * KIB, 100 * KIB, 256 * KIB, 300 * KIB, 380 * KIB, 400 * KIB, 2 * MIB, 20 * MIB]


def test_pub_11_pipe_10_attributes_of_any_size(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        for size in SIZES:
            deployed.publish(big(size, code=f"size-{size}"))
            deployed.publish(big(size, 1, "b", code=f"size-{size}"))
        deployed.run()
        assert {execution.status for execution in deployed.executions()} == {"SUCCEEDED"}
        for size in SIZES:
            key = replace(KEY, code=f"size-{size}")
            expected = [big(size).attributes, big(size, 1, "b").attributes]
            assert [deployed.row(version, key)["attributes"] for version in (1, 2)] == expected
            assert deployed.data(key)["attributes"] == expected[1]
            assert [row["attributes"] for row in deployed.history(key)] == expected[:1]
            commands = [command for command in deployed.recorder.commands if command.code == key.code]
            seen = sorted(((command.version, command.attributes) for command in commands), key=lambda one: one[0])
            assert seen == [(1, expected[0])] * 3 + [(2, expected[1])] * 3
        assert len(stored_objects(deployed)) == 2 * sum(size > 64 * KIB for size in SIZES)
        assert largest_payload(deployed) < SMALL
        for image in (*deployed.images(COMMANDS), *deployed.images(DATA)):
            assert len(json_bytes(image)) < 70 * KIB


def test_pub_11_above_the_limit(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        with pytest.raises(ValidationError, match="at most 20971520 bytes"):
            deployed.publish(big(20 * MIB + 1))
        assert deployed.repository.latest(KEY) is None
        assert stored_objects(deployed) == []


def test_pub_11_the_configured_limit_counts(tmp_path: Path) -> None:
    with Deployed(tmp_path, config={"inlineAttributeLimit": "1024"}) as deployed:
        deployed.publish(big(2 * KIB))
        deployed.run()
        assert len(stored_objects(deployed)) == 1
        assert deployed.data()["attributes"] == big(2 * KIB).attributes


class BucketIsSlow:
    """Refuses the first downloads: as many as botocore tries itself, and one more."""

    def __init__(self) -> None:
        self.left = 5

    def before(self, call: AwsCall) -> str | None:
        if call.label != "s3.GetObject" or not self.left:
            return None
        self.left -= 1
        return "SlowDown"

    def after(self, call: AwsCall) -> None:
        pass


def test_pipe_10_a_bucket_that_throttles_is_tried_again(tmp_path: Path, any_workflow: str) -> None:
    faults = BucketIsSlow()
    with Deployed(tmp_path, workflow=any_workflow, faults=faults) as deployed:
        deployed.publish(big(300 * KIB))
        deployed.run()
        assert faults.left == 0
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert deployed.alarms() == []


def test_pipe_10_an_object_that_is_gone(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish(big(300 * KIB))
        (key,) = stored_objects(deployed)
        boto3.client("s3").delete_object(Bucket=deployed.runtime.outputs["bucketName"], Key=key)
        deployed.run()
        row = deployed.store.get(COMMANDS, KEY.pk, KEY.version_sk(1))
        assert row is not None
        assert row["status"] == "sync_data:FAILED"
        assert row["error"]["type"] == "ObjectMissing"
        assert len(deployed.alarms()) == 1


def test_pipe_06_a_handler_that_returns_a_megabyte(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.recorder.behaviours["two"] = lambda _: {"large": "x" * MIB}
        deployed.publish(order(0, price=3))
        deployed.run()
        assert deployed.recorder.versions("two") == [1]
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert [one.status for one in deployed.executions()] == ["SUCCEEDED"] * (any_workflow != INLINE)
        results = [
            result.payload[0][0]
            for name, payload, result in deployed.answers
            if name.endswith("-states") and payload["context"]["State"]["Name"] == "sync_data"
        ]
        assert any_workflow == INLINE or {"target": "two", "outcome": "APPLIED"} in results
        assert largest_payload(deployed) < SMALL


def test_a_repeated_request_is_not_uploaded_again(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        first = deployed.publish(big(300 * KIB), request_id="r-1")
        uploads = deployed.runtime.endpoint.calls.copy()
        assert deployed.publish(big(300 * KIB), request_id="r-1") == first
        later = deployed.runtime.endpoint.calls
        assert [key for key in later if key[2] == "PutObject" and later[key] != uploads[key]] == []


MANY = 200
MANY_HANDLERS = f"""
from handlers.commands.targets.registry import sync_handler
from tests.support import recorder


def handler(number):
    class Handler:
        def up(self, command):
            return recorder.handle(f"many-{{number:03d}}", command)

    Handler.__name__ = f"Many{{number:03d}}"
    return sync_handler("ORDER", id=f"handler-with-a-name-of-usual-length-{{number:03d}}")(Handler)


for _number in range({MANY}):
    globals()[f"Many{{_number:03d}}"] = handler(_number)
"""


def test_pipe_09_200_handlers(tmp_path: Path, any_workflow: str) -> None:
    extra = {"many.py": MANY_HANDLERS}
    config = {"statusDetail": "terminal"} if any_workflow == INLINE else {}
    with Deployed(tmp_path, extra=extra, workflow=any_workflow, config=config) as deployed:
        deployed.publish(big(64 * KIB))
        deployed.run()
        assert len(deployed.recorder.calls) == len(set(deployed.recorder.calls)) == MANY + 3
        assert deployed.row(1)["status"] == "finish:FINISHED"
        histories = [execution.history.events for execution in deployed.executions()]
        texts = [text for events in histories for event in events for text in payload_texts(event.describe())]
        row = deployed.store.get(COMMANDS, KEY.pk, KEY.version_sk(1))
        assert row is not None
        targets = MANY + 4
        assert len(row["targets"]) == targets
        # 35 + 7 for each target; measured: 1,463 events, texts of 15 KB, a row of 88 KB.
        assert [len(events) for events in histories] == [35 + 7 * targets] * (any_workflow != INLINE)
        assert 35 + 7 * targets < HISTORY_LIMIT // 10
        assert max((len(text.encode()) for text in texts), default=0) < PAYLOAD_LIMIT // 8
        assert largest_payload(deployed) < PAYLOAD_LIMIT // 8
        assert len(json_bytes(row)) < 110 * KIB


def payload_texts(event: dict[str, Any]) -> list[str]:
    """Inputs, outputs and parameters in an event, as JSON."""
    details = (value for name, value in event.items() if name.endswith("EventDetails"))
    return [value for one in details for value in one.values() if isinstance(value, str)]
