"""The Pulumi CLI's validation of project and stack files, which mocks of the engine don't do.

Source: pulumi/pulumi v3.272.0. In sdk/go/common: ``workspace/project.json`` (the schema of Pulumi.yaml),
``workspace/project.go`` (``ValidateConfigValue``, ``Project.Validate``), ``resource/config/key.go`` (``ParseKey``),
``tokens/project.go`` and ``tokens/stack_name.go``; ``pkg/workspace/config.go`` (``mergeConfig``: missing values,
``validateStackConfigValue``). Only the rules are taken from there; the messages are ours.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: ``tokens.IsName``, ``tokens.ParseStackName``: both have at most 100 characters.
PROJECT_NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.-]{0,99}")
STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
TYPES = ("string", "integer", "boolean", "array", "object")
_DECLARATION = ("type", "items", "description", "secret", "default", "value")
#: Fields of the two files. The CLI silently ignores others, so a mistyped one would have no effect.
PROJECT_FIELDS = (
    *("name", "runtime", "description", "author", "website", "license", "main", "config", "stackConfigDir", "template"),
    *("backend", "options", "packages", "plugins", "requiredPulumiVersion"),
)
STACK_FIELDS = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")


@dataclass(frozen=True)
class Declared:
    """A key of ``config`` in Pulumi.yaml; the short form (``region: eu-west-1``) has no type.

    ``items``: the type of an array's entries. ``has_value``: there is a default (or a value, for other namespaces).
    """

    key: str
    type: str | None
    items: Mapping[str, Any] | None
    secret: bool
    has_value: bool
    value: Any


def qualified(key: str, project: str) -> str:
    """The key with its namespace, by default the project's; ``ns:config:key`` is an old form of ``ns:key``.

    Raises:
        ValueError: it has more parts.
    """
    parts = key.split(":")
    if len(parts) == 3 and parts[1] == "config":
        parts = [parts[0], parts[2]]
    if len(parts) > 2 or not all(parts):
        raise ValueError(f"{key!r} is not a key; expected <name> or <namespace>:<name>")
    return ":".join(parts) if len(parts) == 2 else f"{project}:{key}"


#: The CLI passes the ciphertext of a project's default to the program undecrypted (``workspace/config.go``,
#: ``createConfigValue``), so it can't be used.
ENCRYPTED = "is encrypted, which only values of a stack's file are; put it into Pulumi.<stack>.yaml"


def unknown_fields(document: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    """One message per unknown field of a file."""
    allowed = list(known)
    for field in document:
        if field not in allowed:
            close = difflib.get_close_matches(field, allowed, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(allowed)}"
            yield f"{field!r} is not a field of this file; {hint}"


def check_project(document: Mapping[str, Any]) -> Iterator[str]:
    """The problems of Pulumi.yaml, except those of its ``config``."""
    yield from unknown_fields(document, PROJECT_FIELDS)
    name = document.get("name")
    if "name" not in document:
        yield "it has no name"
    elif not isinstance(name, str) or not PROJECT_NAME.fullmatch(name):
        yield (
            f"name: {_shown(name)} is not allowed; expected 1 to 100 letters, digits, '-', '_' and '.', "
            "the first no digit and no '-'"
        )
    runtime = document.get("runtime")
    named = runtime.get("name") if isinstance(runtime, Mapping) else runtime
    if "runtime" not in document:
        yield "it has no runtime"
    elif not isinstance(named, str) or not named:
        yield f"runtime: {_shown(runtime)} is not allowed; expected the name of a language, or its name and options"
    elif isinstance(runtime, Mapping):
        yield from (f"runtime: {problem}" for problem in unknown_fields(runtime, ("name", "options")))
    if not isinstance(document.get("config"), Mapping | None):
        yield f"config: {_shown(document['config'])} is not allowed; expected keys with their declarations"


def declarations(config: Mapping[str, Any], project: str, problems: list[str]) -> dict[str, Declared]:
    """The keys that Pulumi.yaml declares, by qualified name. Errors are added to ``problems``."""
    found: dict[str, Declared] = {}
    for key, given in config.items():
        try:
            name = qualified(key, project)
        except ValueError as error:
            problems.append(f"config: {error}")
            continue
        if name in found:
            problems.append(f"config: {name} is there twice, once without its namespace")
        declared, wrong = _declared(name, given, is_own=name.partition(":")[0] == project)
        problems.extend(f"config: {name}: {one}" for one in wrong)
        found[name] = declared
    return found


def check_values(declared: Mapping[str, Declared], values: Mapping[str, Any], project: str) -> Iterator[str]:
    """The problems of a stack's values (``values``, by qualified key): missing ones and those of a wrong type."""
    for name, one in declared.items():
        if name not in values and not one.has_value:
            if name.partition(":")[0] == project:
                yield f"missing configuration value {name}: Pulumi.yaml declares it without a default"
            continue
        value = values.get(name, one.value)
        if one.type is None:
            continue
        if one.secret and not is_secret(value):
            yield f"{name}: must be encrypted, Pulumi.yaml declares it as a secret"
        elif not is_secret(value) and not has_type(_as_kept(value), one.type, one.items):
            yield f"{name}: {_shown(value)} is not allowed; expected type {_type_name(one.type, one.items)}"


def is_secret(value: Any) -> bool:
    """Whether a stack's value is ``{secure: <ciphertext>}``, or a list or object that has one somewhere inside.

    The CLI treats both as encrypted (``resource/config/value.go``, ``Secure``), and no message may show either.
    """
    if isinstance(value, list):
        return any(is_secret(one) for one in value)
    if not isinstance(value, Mapping):
        return False
    is_ciphertext = set(value) == {"secure"} and isinstance(value["secure"], str)
    return is_ciphertext or any(is_secret(one) for one in value.values())


def has_type(value: Any, type_: str, items: Mapping[str, Any] | None) -> bool:
    """Whether the CLI accepts ``value`` for the type (``ValidateConfigValue``).

    Strings that are written like a whole number, ``true`` or ``false`` count as such, whole floats as whole numbers.
    """
    if type_ == "string":
        return isinstance(value, str)
    if type_ == "integer":
        if isinstance(value, str):
            return re.fullmatch(r"[-+]?[0-9]+", value) is not None
        # Not converted to ``float``, whose maximum has 309 digits.
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    if type_ == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if type_ == "object":
        return isinstance(value, Mapping)
    return (
        isinstance(value, list)
        and items is not None
        and all(has_type(one, items["type"], items.get("items")) for one in value)
    )


def _declared(name: str, given: Any, *, is_own: bool) -> tuple[Declared, list[str]]:
    if not isinstance(given, Mapping):
        problems = [] if isinstance(given, str | int | list) else [f"{_shown(given)} is neither value nor declaration"]
        if is_secret(given):
            problems = [ENCRYPTED]
        return Declared(name, None, None, False, True, given), problems
    problems = list(unknown_fields(given, _DECLARATION))
    type_, items = given.get("type"), given.get("items")
    problems += _of_type(type_, items)
    if not isinstance(given.get("description", ""), str):
        problems.append(f"description: {_shown(given['description'])} is no text")
    if not isinstance(given.get("secret", False), bool):
        problems.append(f"secret: {_shown(given['secret'])} is not true or false")
    # The CLI treats null as absent.
    default, value = given.get("default"), given.get("value")
    if is_secret(default) or is_secret(value):
        # Before any message that would show it.
        field = "default" if is_secret(default) else "value"
        return Declared(name, None, None, False, True, None), [f"{field}: {ENCRYPTED}"]
    if default is not None and value is not None:
        problems.append("has both a default and a value")
    if not is_own:
        problems += [f"a key of another namespace has no {one}" for one in ("type", "default") if given.get(one)]
        if value is None and default is None:
            problems.append("a key of another namespace needs a value")
    elif type_ is not None and default is not None and not problems and not has_type(default, type_, items):
        problems.append(f"default: {_shown(default)} is not allowed; expected type {_type_name(type_, items)}")
    kept = default if default is not None else value
    usable = type_ if not problems else None
    return Declared(name, usable, items, given.get("secret") is True, kept is not None, kept), problems


def _of_type(type_: Any, items: Any) -> Iterator[str]:
    if type_ is not None and type_ not in TYPES:
        yield f"type: {_shown(type_)} is not allowed; expected one of {', '.join(TYPES)}"
    if type_ == "array" and not isinstance(items, Mapping):
        yield "an array needs items with the type of its entries"
    if isinstance(items, Mapping):
        if items.get("type") is None:
            yield "items: has no type"
        yield from (f"items: {problem}" for problem in _of_type(items.get("type"), items.get("items")))


def kept_text(value: Any) -> str:
    """The text of a value that the program gets: lists and objects as JSON, whole floats without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)


def _as_kept(value: Any) -> Any:
    return value if isinstance(value, list | Mapping) else kept_text(value)


def _type_name(type_: str, items: Mapping[str, Any] | None) -> str:
    return type_ if items is None else f"array<{_type_name(items['type'], items.get('items'))}>"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
