"""The AWS partition of a region, for ARNs and host names."""

from __future__ import annotations

from moto.utilities.utils import get_partition

#: Partitions with other DNS suffixes (AWS General Reference, "AWS service endpoints").
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
SUFFIX = "amazonaws.com"


def partition_of(region: str) -> str:
    """``aws``, ``aws-cn``, ``aws-us-gov``, ... by the region's name."""
    return str(get_partition(region))


def suffix_of(region: str) -> str:
    """The DNS suffix of the region's services."""
    return _SUFFIXES.get(partition_of(region), SUFFIX)
