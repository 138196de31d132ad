"""The configuration keys ``kmsKey`` and ``kmsKeyArn``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Values of ``kmsKey``: AWS's own keys, or a key that the stack creates.
OF_AWS, CREATE = "aws", "create"
_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")


def parse_key_arn(value: Any) -> str:
    """The ARN; empty: none. Raises ValueError: what is allowed."""
    if not isinstance(value, str) or (value and not _ARN.fullmatch(value)):
        raise ValueError("the ARN of a KMS key, not of an alias, or nothing")
    return value


def contradiction(kms_key: str, kms_key_arn: str, namespace: str) -> Iterator[str]:
    """A message if both are set."""
    if kms_key == CREATE and kms_key_arn:
        yield f"{namespace}:kmsKeyArn: not allowed with kmsKey {CREATE}; expected one of them"
