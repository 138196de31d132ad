"""The message to targets in other projects (docs/spec/capabilities.md), with the command as its content."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from handlers.commands.targets.port import Delivery
from handlers.core.aws.message_batches import message_text
from handlers.core.keys import row_id

if TYPE_CHECKING:
    from handlers.commands.model import Command

ACTION = "command-sync"
#: One limit for all kinds: half of that of SNS and EventBridge (256 KiB), because a topic that forwards to a queue
#: wraps the text and escapes its quotes, and the result must fit into the queue's limit (decision record 0036).
MAX_MESSAGE_BYTES = 128 * 1024
#: SQS and SNS API references: MessageGroupId and MessageDeduplicationId.
_FIFO_ID = re.compile(r"[!-~]{1,128}")


def delivery_of(command: Command, table: str) -> Delivery:
    """The delivery of a command from the commands table with the name ``table``."""
    key = command.key
    entity = row_id(key.pk, key.entity.sk)
    return Delivery(
        text=_text(command, table),
        action=ACTION,
        type=command.type,
        group=fifo_id(entity),
        deduplication=fifo_id(f"{entity}@{command.version}"),
    )


def fifo_id(text: str) -> str:
    """The text itself, or its hash if it is longer than 128 characters or has characters that FIFO ids don't allow."""
    return text if _FIFO_ID.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()


def _text(command: Command, table: str) -> str:
    content = command.to_row()
    for name in ("pk", "sk", "ttl"):
        content.pop(name, None)
    message: dict[str, Any] = {
        "id": row_id(command.pk, command.sk),
        "action": ACTION,
        "table": table,
        "pk": command.pk,
        "sk": command.sk,
        "tenantCode": command.tenant_code,
        "content": {**content, "attributesOmitted": False},
    }
    text = message_text(message)
    if len(text.encode()) <= MAX_MESSAGE_BYTES:
        return text
    # The consumer can read the row of exactly this version by table, pk and sk; it is immutable.
    attributes = content.pop("attributes")
    size = len(json.dumps(attributes, ensure_ascii=False).encode())
    return message_text({**message, "content": {**content, "attributesOmitted": True, "attributesBytes": size}})
