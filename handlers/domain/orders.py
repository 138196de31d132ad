"""Sample: maintains a one-line summary of each order, as a second projection of the same commands."""

from __future__ import annotations

from handlers import (
    APPLIED,
    DATA,
    SKIPPED,
    Command,
    ConditionFailed,
    EntityKey,
    TableStore,
    absent,
    at_most,
    sync_handler,
)


@sync_handler("ORDER", id="order-summary")
class OrderSummary:
    """Writes ``ORDER_SUMMARY#<tenant>`` rows with just the fields that a list of orders needs."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> str:
        """Keeps a later version; rewrites the same one, so that a resync repairs rows that a bug has corrupted."""
        key = EntityKey("ORDER_SUMMARY", command.tenant_code, command.type, command.code)
        lines = command.attributes.get("lines", [])
        total = sum(line["quantity"] * line["price"] for line in lines)
        row = {"pk": key.pk, "sk": key.sk, "version": command.version, "lines": len(lines), "total": total}
        try:
            self._store.put(DATA, row, absent("pk") | at_most("version", command.version))
        except ConditionFailed:
            return SKIPPED
        return APPLIED
