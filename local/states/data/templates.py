"""Payload templates: the objects in Parameters, ItemSelector and ResultSelector with their ``.$`` fields.

Source: Amazon States Language specification, "Payload Template".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.states.data.intrinsics import IntrinsicSyntaxError, is_intrinsic, parse_intrinsic
from local.states.data.paths import PathNotFound, PathSyntaxError, parse_path
from local.states.data.scope import Scope
from local.states.errors import RUNTIME, StatesError
from local.states.limits import dumps

Template = Callable[[Scope], Any]
#: Called with the JSON path of the field and the error; raises.
Refuse = Callable[[str, Exception | str], Exception]

_SHOWN = 500


def parse_template(value: Any, where: str, refuse: Refuse) -> Template:
    """Turn a template into a function of the scope. Parts without ``.$`` fields are shared, never copied.

    Args:
        value: the JSON of the template.
        where: its JSON path, for messages.
        refuse: makes the exception for a field that can't be used.
    """
    if isinstance(value, dict):
        return _parse_object(value, where, refuse)
    if isinstance(value, list):
        return _parse_array(value, where, refuse)
    return lambda scope: value


def parse_expression(text: str, field: str, where: str, refuse: Refuse) -> Template:
    """Turn a path or an intrinsic function into a function of the scope."""
    try:
        if is_intrinsic(text):
            evaluate = parse_intrinsic(text)
        else:
            path = parse_path(text)
            evaluate = lambda scope: path.find(scope.root(path))  # noqa: E731 - the other branch has a function too
    except (IntrinsicSyntaxError, PathSyntaxError) as error:
        raise refuse(where, error) from error

    def guarded(scope: Scope) -> Any:
        try:
            return evaluate(scope)
        except PathNotFound as error:
            shown = dumps(scope.input)[:_SHOWN]
            raise StatesError(
                RUNTIME,  # not States.ParameterPathFailure, whatever the guide says (decision record 0266)
                f"The JSONPath '{error}' specified for the field '{field}' could not be found in the input '{shown}'",
            ) from error

    return guarded


def _parse_object(value: dict[str, Any], where: str, refuse: Refuse) -> Template:
    members: list[tuple[str, Template]] = []
    dynamic = False
    seen: set[str] = set()
    for key, member in value.items():
        name = key[:-2] if key.endswith(".$") else key
        if name in seen:
            raise refuse(f"{where}.{key}", f"the field {name!r} occurs twice")
        seen.add(name)
        if key.endswith(".$"):
            if not isinstance(member, str):
                raise refuse(f"{where}.{key}", "the value of a field that ends in '.$' must be a string")
            members.append((name, parse_expression(member, key, f"{where}.{key}", refuse)))
            dynamic = True
        else:
            part = parse_template(member, f"{where}.{key}", refuse)
            dynamic = dynamic or _is_dynamic(member)
            members.append((name, part))
    if not dynamic:
        return lambda scope: value
    fixed = tuple(members)
    return lambda scope: {name: part(scope) for name, part in fixed}


def _parse_array(value: list[Any], where: str, refuse: Refuse) -> Template:
    parts = tuple(parse_template(member, f"{where}[{index}]", refuse) for index, member in enumerate(value))
    if not any(_is_dynamic(member) for member in value):
        return lambda scope: value
    return lambda scope: [part(scope) for part in parts]


def _is_dynamic(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key.endswith(".$") or _is_dynamic(member) for key, member in value.items())
    return isinstance(value, list) and any(_is_dynamic(member) for member in value)
