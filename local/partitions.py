"""The AWS partition of a region: the first part of every ARN, and the end of host names."""

from __future__ import annotations

from moto.utilities.utils import get_partition

#: China's services have host names of their own (AWS General Reference, "AWS service endpoints").
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
SUFFIX = "amazonaws.com"


def partition_of(region: str) -> str:
    """``aws``, ``aws-cn``, ``aws-us-gov``, ... by the region's name."""
    return str(get_partition(region))


def suffix_of(region: str) -> str:
    """What host names of the region's services end with."""
    return _SUFFIXES.get(partition_of(region), SUFFIX)
