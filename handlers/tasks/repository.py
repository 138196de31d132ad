"""Consistent reads of tasks and their items."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.store.port import TASKS, Item, TableStore
from handlers.tasks.keys import TaskItemKey, TaskKey, task_sk_of

PAGE = 100


class TaskRepository:
    """Rows as stored."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def task(self, key: TaskKey) -> Item | None:
        """A task's row."""
        return self._store.get(TASKS, key.pk, key.sk)

    def with_item(self, key: TaskItemKey) -> tuple[Item | None, Item | None]:
        """A task's row and that of one of its items, in one consistent read."""
        task, item = self._store.get_together([(TASKS, key.pk, key.task.sk), (TASKS, key.pk, key.sk)])
        return task, item

    def items(self, key: TaskKey) -> Iterator[Item]:
        """All items in order, read page by page."""
        for page in self.item_pages(key):
            yield from page

    def item_pages(self, key: TaskKey, limit: int = PAGE) -> Iterator[list[Item]]:
        """All items in order, at most ``limit`` at a time."""
        start: Item | None = None
        while True:
            page = self._store.query(TASKS, key.pk, sk_prefix=key.items_prefix, limit=limit, start=start)
            yield page.items
            if page.next_key is None:
                return
            start = page.next_key

    def latest(self, pk: str, sk_prefix: str, limit: int, after: str | None = None) -> list[Item]:
        """Tasks of a partition by descending sort key: two reads per task, however many items it has.

        ``after``: the sort key of a task, with the prefix, after which they begin.
        """
        found: list[Item] = []
        start: Item | None = None if after is None else {"pk": pk, "sk": after}
        while len(found) < limit:
            page = self._store.query(TASKS, pk, sk_prefix=sk_prefix, descending=True, limit=1, start=start)
            if not page.items:
                break
            sk = task_sk_of(page.items[0]["sk"])
            row = page.items[0] if page.items[0]["sk"] == sk else self._store.get(TASKS, pk, sk)
            if row is not None and "kind" in row:  # excludes unfinished creations and requests
                found.append(row)
            start = {"pk": pk, "sk": sk}
        return found
