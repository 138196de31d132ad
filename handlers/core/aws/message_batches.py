"""Batching of messages: their texts, sizes, and distribution over calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def message_text(message: Mapping[str, Any]) -> str:
    """A message as JSON that queues and topics accept.

    SQS rejects U+FFFE and U+FFFF (API reference, SendMessage); JSON itself escapes the other characters that it
    rejects. Both can occur only inside strings, so escaping them changes nothing for the reader.
    """
    text = json.dumps(message, ensure_ascii=False)
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def divide(sizes: Sequence[int], *, max_entries: int, max_bytes: int) -> list[list[int]]:
    """Group the indexes of consecutive messages by call. A message larger than ``max_bytes`` is omitted."""
    parts: list[list[int]] = []
    total = 0
    for index, size in enumerate(sizes):
        if size > max_bytes:
            continue
        if not parts or len(parts[-1]) == max_entries or total + size > max_bytes:
            parts.append([])
            total = 0
        parts[-1].append(index)
        total += size
    return parts


def size_of(text: str, attributes: Mapping[str, str]) -> int:
    """Bytes of a message; attributes count with name, type and value (SNS and SQS Developer Guides, "message
    attributes").
    """
    named = sum(len(name.encode()) + len("String") + len(value.encode()) for name, value in attributes.items())
    return len(text.encode()) + named
