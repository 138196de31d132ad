"""The configuration key ``bucketAccessLog``."""

from __future__ import annotations

import re
from typing import Any

#: S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"


def parse_bucket(value: Any) -> str:
    """The bucket's name; empty: none. Raises ValueError: what is allowed."""
    if not isinstance(value, str) or (value and not re.fullmatch(BUCKET_NAME, value)):
        raise ValueError("the name of a bucket of the same account and region, or nothing")
    return value
