"""ItemReader: the items of an S3 object, read in pieces while the Map Run proceeds.

Source: Developer Guide, "ItemReader (Map)". A CSV file and JSON Lines are never held as a whole; a JSON array is. Not
documented, and chosen here: a line that isn't JSON, even a blank one, fails the reader; the last needs no newline.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from local.states.data.path_values import integer_at
from local.states.data.scope import Scope
from local.states.definition.map_definition import CSV, JSON_LINES
from local.states.definition.model import ItemReader
from local.states.errors import ITEM_READER_FAILED, StatesError
from local.states.limits import loads
from local.states.maps.csv_items import csv_items, lines_of
from local.states.maps.objects import ObjectError, Pinned

if TYPE_CHECKING:
    from local.states.running.interpreter import Interpreter


def most_items(run: Interpreter, reader: ItemReader, scope: Scope) -> int:
    """MaxItems; 0 means all of them."""
    if reader.max_items_path is None:
        return reader.max_items
    return integer_at(reader.max_items_path, scope, "MaxItemsPath", least=None)


def read_items(run: Interpreter, reader: ItemReader, scope: Scope, most: int) -> Iterator[Any]:
    """The items in order, at most ``most``. All pieces are of the object's version at the first read.

    Raises:
        StatesError: ``States.ItemReaderFailed``, also during iteration.
    """
    if most < 0:
        raise _failed("field MaxItems must be positive")
    parameters = reader.parameters(scope)
    pieces = _pieces(run, parameters)
    if reader.input_type == CSV:
        items: Iterator[Any] = csv_items(pieces, reader.delimiter, reader.headers)
    else:
        items = _json_lines(pieces) if reader.input_type == JSON_LINES else _json_items(pieces)
    return islice(items, most) if most else items


def _pieces(run: Interpreter, parameters: dict[str, Any]) -> Iterator[bytes]:
    for name, value in parameters.items():
        if not isinstance(value, str) or not value:
            raise _failed(f"{name} must be a non-empty string, not {value!r}")
    owner = parameters.get("ExpectedBucketOwner", run.account_id)
    if owner != run.account_id:
        raise _failed(f"Access Denied: the bucket's owner is not {owner}")
    caller = run.execution.machine.name
    objects, scheduler = run.objects, run.scheduler
    try:
        pinned: Pinned
        pinned, piece = scheduler.wait(
            scheduler.execute(objects.pin, caller, parameters["Bucket"], parameters["Key"], parameters.get("VersionId"))
        )
        position = 0
        while piece:
            yield piece
            position += len(piece)
            if position >= pinned.size:
                return
            piece = scheduler.wait(scheduler.execute(objects.read, caller, pinned, position))
    except ObjectError as error:
        raise _failed(str(error)) from error


def _json_items(pieces: Iterator[bytes]) -> Iterator[Any]:
    try:
        items = loads(b"".join(pieces).decode())
    except ValueError as error:
        raise _failed(f"the object is not JSON: {error}") from error
    if not isinstance(items, list):
        raise _failed("Attempting to map over non-iterable node.")
    yield from items


def _json_lines(pieces: Iterator[bytes]) -> Iterator[Any]:
    for number, line in enumerate(lines_of(pieces), start=1):
        try:
            item = loads(line)
        except ValueError as error:
            raise _failed(f"line {number} is not JSON: {error}") from error
        yield item


def _failed(cause: str) -> StatesError:
    return StatesError(ITEM_READER_FAILED, cause, located=True)
