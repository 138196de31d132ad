"""Converts parameters and results of the JSON protocols by the service's description, in one pass each.

botocore validates parameters, copies them and writes JSON; its parser reads JSON and copies the result. Between client
and endpoint in one process, only the validated copy is needed. Each shape is compiled to a function once. Parameters
that may be wrong or are rare are left to botocore (``Unfit``), so that errors have its wording;
``tests/unit/local/aws/test_direct.py`` compares the results of both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from botocore.model import Shape
from botocore.utils import is_json_value_header, parse_timestamp

Convert = Callable[[Any], Any]


class Unfit(Exception):
    """These parameters are left to botocore."""


class Undescribed(Exception):
    """A shape that isn't supported here."""


def writer(shape: Shape | None, *, binary: bool = True) -> Convert:
    """A function from an operation's parameters to the content of its request's JSON, a copy.

    Without ``binary``, parameters with binary values are ``Unfit``.

    Raises:
        Undescribed: the shape has parts that are left to botocore. The function itself raises ``Unfit``.
    """
    return (_Writers() if binary else _TextWriters()).of(shape) if shape is not None else _nothing


def reader(shape: Shape | None) -> Convert:
    """A function from the JSON of an operation's response to its result, a copy. Raises as ``writer``."""
    return _Readers().of(shape) if shape is not None else _nothing


def _nothing(_: Any) -> dict[str, Any]:
    return {}


class _Functions:
    """One function per shape; recursive shapes look their function up when it is called."""

    def __init__(self) -> None:
        self._made: dict[str, Convert] = {}
        self._open: set[str] = set()

    def of(self, shape: Shape) -> Convert:
        """The function of a shape."""
        made = self._made.get(shape.name)
        if made is not None:
            return made
        if shape.name in self._open:
            return lambda value: self._made[shape.name](value)
        self._open.add(shape.name)
        make = getattr(self, f"_{shape.type_name}", None)
        if make is None or is_json_value_header(shape) or getattr(shape, "is_document_type", False):
            raise Undescribed(shape.name)
        if getattr(shape, "is_tagged_union", False) or getattr(shape, "event_stream_name", None):
            raise Undescribed(shape.name)
        convert: Convert = make(shape)
        self._made[shape.name] = convert
        self._open.discard(shape.name)
        return convert


class _Writers(_Functions):
    def _structure(self, shape: Any) -> Convert:
        required = tuple(shape.metadata.get("required", ()))
        members = {
            name: (member.serialization.get("name", name), self.of(member)) for name, member in shape.members.items()
        }

        def write(value: Any) -> Any:
            if type(value) is not dict:
                raise Unfit
            if len(value) == 1 and not required:  # as attribute values are
                ((name, part),) = value.items()
                member = members.get(name)
                if member is None:
                    raise Unfit
                return {member[0]: member[1](part)}
            for name in required:
                if name not in value:
                    raise Unfit
            written = {}
            for name, part in value.items():
                member = members.get(name)
                if member is None:
                    raise Unfit
                written[member[0]] = member[1](part)
            return written

        return write

    def _map(self, shape: Any) -> Convert:
        key, entry = self.of(shape.key), self.of(shape.value)

        def write(value: Any) -> Any:
            if type(value) is not dict:
                raise Unfit
            return {key(name): entry(part) for name, part in value.items()}

        return write

    def _list(self, shape: Any) -> Convert:
        member, least = self.of(shape.member), shape.metadata.get("min", 0)

        def write(value: Any) -> Any:
            if not isinstance(value, list | tuple) or len(value) < least:
                raise Unfit
            return [member(part) for part in value]

        return write

    def _string(self, shape: Any) -> Convert:
        least = shape.metadata.get("min", 0)

        def write(value: Any) -> Any:
            if type(value) is not str:
                if not isinstance(value, str):
                    raise Unfit
                value = str.__str__(value)
            if least and len(value) < least:
                raise Unfit
            return value

        return write

    def _integer(self, shape: Any) -> Convert:
        least = shape.metadata.get("min")

        def write(value: Any) -> Any:
            if type(value) is not int or (least is not None and value < least):
                raise Unfit
            return value

        return write

    _long = _integer

    def _boolean(self, shape: Any) -> Convert:
        def write(value: Any) -> Any:
            if type(value) is not bool:
                raise Unfit
            return value

        return write

    def _blob(self, shape: Any) -> Convert:
        def write(value: Any) -> Any:
            if type(value) is not bytes:
                raise Unfit
            return base64.b64encode(value).decode()

        return write

    def _timestamp(self, shape: Any) -> Convert:
        def write(value: Any) -> Any:
            raise Unfit

        return write

    _double = _float = _timestamp


class _TextWriters(_Writers):
    _blob = _Writers._timestamp


class _Readers(_Functions):
    def _structure(self, shape: Any) -> Convert:
        members = {
            member.serialization.get("name", name): (name, self.of(member)) for name, member in shape.members.items()
        }

        def read(value: Any) -> Any:
            if value is None:
                return None
            found = {}
            for wire, part in value.items():
                member = members.get(wire)
                if member is not None and part is not None:
                    found[member[0]] = member[1](part)
            return found

        return read

    def _map(self, shape: Any) -> Convert:
        entry = self.of(shape.value)

        def read(value: Any) -> Any:
            return {name: entry(part) for name, part in value.items()}

        return read

    def _list(self, shape: Any) -> Convert:
        member = self.of(shape.member)

        def read(value: Any) -> Any:
            return [None if part is None else member(part) for part in value]

        return read

    def _blob(self, shape: Any) -> Convert:
        return base64.b64decode

    def _timestamp(self, shape: Any) -> Convert:
        return parse_timestamp

    def _string(self, shape: Any) -> Convert:
        return _same

    _integer = _long = _boolean = _double = _float = _string


def _same(value: Any) -> Any:
    return value
