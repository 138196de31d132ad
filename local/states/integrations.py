"""The ARNs of integrations, which differ by partition only: ``arn:aws-cn:states:::lambda:invoke`` in China."""

from __future__ import annotations

import re

_OF_A_PARTITION = re.compile(r"^arn:aws(-[a-z]+)+:states:::")


def in_aws(resource: str) -> str:
    """The ARN of the same integration in the partition ``aws``, which this package uses for all."""
    return _OF_A_PARTITION.sub("arn:aws:states:::", resource)
