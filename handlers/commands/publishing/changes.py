"""Partial updates: a caller's changes to an entity, independent of what is stored when they are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.commands.model import LATEST, CommandInput
from handlers.commands.publishing.requests import content_hash
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import instance

if TYPE_CHECKING:
    from handlers.commands.keys import EntityKey
    from handlers.store.port import Item

PARTIAL_FIELDS = ("name", "attributes", "is_deleted", "seq")


@dataclass(frozen=True)
class Change:
    """``given``: validated, with empty values for fields that aren't in ``names``."""

    given: CommandInput
    names: tuple[str, ...]

    @classmethod
    def of(cls, key: EntityKey, version: int | None, changes: dict[str, Any]) -> Change:
        """Raises ValidationError: a field that can't be changed, or an invalid value."""
        for name, value in instance("changes", changes, dict).items():
            if name not in PARTIAL_FIELDS:
                raise ValidationError(str(name), value, f"one of {', '.join(PARTIAL_FIELDS)}")
        fields: dict[str, Any] = {"name": "", "attributes": {}, **changes}
        given = CommandInput(kind=key.kind, type=key.type, code=key.code, version=version, **fields)
        return cls(given.checked(), tuple(sorted(changes)))

    @property
    def content(self) -> str:
        """The fingerprint of the caller's input, independent of the state that it is merged into."""
        return content_hash(self.given, self.names)

    def onto(self, latest: Item) -> CommandInput:
        """The full new state, to be published on the version it was merged from. ``latest``: the decoded row, whose
        other business fields are kept.
        """
        given = self.given
        return CommandInput(
            kind=given.kind,
            type=given.type,
            code=given.code,
            name=given.name if "name" in self.names else latest["name"],
            attributes={**latest["attributes"], **given.attributes},
            version=latest["version"] if given.version == LATEST else given.version,
            is_deleted=given.is_deleted if "is_deleted" in self.names else latest["isDeleted"],
            seq=given.seq if "seq" in self.names else latest.get("seq"),
        )
