"""Independent checks of a demo run, based on the tables' streams instead of the pipeline's own reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

FIRST_VERSION = 1


class OrderAudit:
    """Checks the order in which the versions of the read model's rows were written.

    A violation is a version that isn't exactly one above the previous one.
    """

    def __init__(self, kind: str) -> None:
        self._prefix = f"{kind}#"
        self._versions: dict[tuple[str, str], int] = {}
        self.violations: list[str] = []

    def follow(self, records: Iterable[dict[str, Any]]) -> None:
        """Process stream records, in stream order."""
        for record in records:
            keys = record["dynamodb"]["Keys"]
            key = (keys["pk"]["S"], keys["sk"]["S"])
            image = record["dynamodb"].get("NewImage")
            if not key[0].startswith(self._prefix) or image is None:
                continue
            version = int(image["version"]["N"])
            before = self._versions.get(key, FIRST_VERSION - 1)
            if version != before + 1:
                self.violations.append(f"{key[0]} {key[1]}: version {version} was written after {before}")
            self._versions[key] = version

    def entities_by_version(self) -> dict[int, int]:
        """How many entities are at each version."""
        return dict(sorted(Counter(self._versions.values()).items()))


class Statuses:
    """The commands' latest statuses, from the writes of their rows."""

    def __init__(self) -> None:
        #: key of a command to its status
        self.rows: dict[tuple[str, str], str] = {}

    def follow(self, records: Iterable[dict[str, Any]]) -> None:
        """Process stream records, in stream order."""
        for record in records:
            image = record["dynamodb"].get("NewImage", {})
            if "status" in image:
                self.rows[image["pk"]["S"], image["sk"]["S"]] = image["status"]["S"]
