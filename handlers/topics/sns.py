"""The topic port on SNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.core.aws.errors import CALL_ERRORS, reason_of, refusal
from handlers.core.aws.message_batches import divide, message_text, size_of
from handlers.topics.port import MAX_BYTES, MessageRefused, Notice, too_large

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

#: API reference, PublishBatch.
MAX_ENTRIES = 10


class SnsTopic:
    """See ``Topic``."""

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """See Topic."""
        try:
            self._client.publish(
                TopicArn=self._arn, Message=message_text(message), MessageAttributes=_attributes(attributes)
            )
        except CALL_ERRORS as error:
            raise reason_of(error, self._arn, MessageRefused) from error

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        """See Topic. Uses PublishBatch, which lists rejected entries in ``Failed``."""
        texts = [message_text(notice.message) for notice in notices]
        sizes = [size_of(text, notice.attributes) for text, notice in zip(texts, notices, strict=True)]
        unsent: dict[int, Exception] = {i: too_large(size) for i, size in enumerate(sizes) if size > MAX_BYTES}
        for part in divide(sizes, max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES):
            try:
                answer = self._client.publish_batch(
                    TopicArn=self._arn,
                    PublishBatchRequestEntries=[
                        {
                            "Id": str(index),
                            "Message": texts[index],
                            "MessageAttributes": _attributes(notices[index].attributes),
                        }
                        for index in part
                    ],
                )
            except CALL_ERRORS as error:
                unsent.update(dict.fromkeys(part, reason_of(error, self._arn, MessageRefused)))
                continue
            for entry in answer.get("Failed", []):
                unsent[int(entry["Id"])] = refusal(self._arn, entry["Code"], entry.get("Message", ""), MessageRefused)
        return unsent


def _attributes(attributes: Mapping[str, str]) -> dict[str, MessageAttributeValueTypeDef]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
