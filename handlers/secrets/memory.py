"""The secrets port in memory, for tests of applications."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.core.errors import ValidationError


class MemorySecrets:
    """See ``Secrets``."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def get(self, name: str) -> str:
        """See Secrets."""
        if name not in self._values:
            raise ValidationError("secret", name, f"one of {', '.join(sorted(self._values)) or '(there are none)'}")
        return self._values[name]

    def __repr__(self) -> str:
        return f"MemorySecrets({', '.join(sorted(self._values))})"
