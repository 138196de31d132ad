"""Turns the items of a Distributed Map into the inputs of its child executions: ItemSelector, then ItemBatcher.

Source: Developer Guide, "ItemBatcher (Map)"; order of the fields from "Map state input and output fields".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.states.data.context import StateContext
from local.states.data.path_values import integer_at
from local.states.data.scope import Scope
from local.states.definition.model import ItemBatcher, MapState
from local.states.limits import PAYLOAD_BYTES, dumps, payload_error

if TYPE_CHECKING:
    from local.states.running.interpreter import Interpreter


@dataclass(frozen=True)
class ChildInput:
    """The input of a child execution, also as JSON text, and the number of items in it."""

    data: Any
    text: str
    items: int


def child_inputs(
    run: Interpreter, state: MapState, scope: Scope, context: StateContext, items: Iterable[Any]
) -> Iterator[ChildInput]:
    """Make the inputs lazily, one after the other.

    Raises:
        StatesError: raised by the selector; ``States.DataLimitExceeded``: a single item exceeds the limit.
    """
    assert state.distributed is not None
    selected = items if state.parameters is None else _select(run, state, scope, context, items)
    if state.distributed.batcher is None:
        return _single(state, selected)
    return _batches(run, state, state.distributed.batcher, scope, selected)


def _select(
    run: Interpreter, state: MapState, scope: Scope, context: StateContext, items: Iterable[Any]
) -> Iterator[Any]:
    """ItemSelector sees each item as ``$$.Map.Item``; the index counts over the whole data set, from 0."""
    assert state.parameters is not None
    for index, value in enumerate(items):
        context.item = (index, value)
        selected = state.parameters(run.scope(scope.input, context))
        context.item = None
        yield selected


def _single(state: MapState, items: Iterable[Any]) -> Iterator[ChildInput]:
    for item in items:
        text = dumps(item)
        if _bytes(text) > PAYLOAD_BYTES:
            raise payload_error(state.name)
        yield ChildInput(item, text, 1)


def _batches(
    run: Interpreter, state: MapState, batcher: ItemBatcher, scope: Scope, items: Iterable[Any]
) -> Iterator[ChildInput]:
    """A batch ends when it has the maximum number of items, or before its input would exceed the maximum size.

    The whole input is counted, BatchInput included, because all of it is the child's payload; the guide doesn't say.
    """
    most_items, most_bytes = batcher.max_items, batcher.max_bytes
    if batcher.max_items_path is not None:
        most_items = integer_at(batcher.max_items_path, scope, "MaxItemsPerBatchPath")
    if batcher.max_bytes_path is not None:
        most_bytes = integer_at(batcher.max_bytes_path, scope, "MaxInputBytesPerBatchPath")
    most_bytes = min(most_bytes or PAYLOAD_BYTES, PAYLOAD_BYTES)
    head: dict[str, Any] = {} if batcher.batch_input is None else {"BatchInput": batcher.batch_input(scope)}
    opening = dumps({**head, "Items": []})[:-2]
    empty = _bytes(opening) + 2
    batch: list[Any] = []
    texts: list[str] = []
    size = empty
    for item in items:
        text = dumps(item)
        length = _bytes(text) + 1
        if empty + length - 1 > most_bytes:
            raise payload_error(state.name)
        if batch and (size + length - 1 > most_bytes or len(batch) == most_items):
            yield _batch(head, opening, batch, texts)
            batch, texts, size = [], [], empty
        batch.append(item)
        texts.append(text)
        size += length
    if batch:
        yield _batch(head, opening, batch, texts)


def _batch(head: dict[str, Any], opening: str, batch: list[Any], texts: list[str]) -> ChildInput:
    return ChildInput({**head, "Items": batch}, f"{opening}{','.join(texts)}]}}", len(batch))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
