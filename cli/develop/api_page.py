"""docs/api.md: the public API for applications, ``handlers.__all__``, from its docstrings and signatures."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import handlers

#: Section to the packages of ``handlers`` whose names it lists; errors have their own section.
SECTIONS = {
    "Publishing commands": ("commands",),
    "Imports": ("imports",),
    "Tasks": ("tasks",),
    "Workflows": ("workflows", "state_machines"),
    "Keys, values and time": ("core",),
    "Tables, objects and secrets": ("store", "objects", "secrets"),
    "Operations": ("operations",),
}
#: Maximum length of a signature on one line.
_WIDEST = 110
#: Names that classes inherit from Python.
_INHERITED = frozenset({*dir(object), *dir(Exception), *dir(tuple)})


def page() -> str:
    """The generated part. Raises KeyError: no section lists the package of a name."""
    names = {name: getattr(handlers, name) for name in handlers.__all__}
    packages = {name: handlers._PLACES[name][0].partition(".")[0] for name in names}
    missing = sorted(set(packages.values()) - {package for section in SECTIONS.values() for package in section})
    if missing:
        raise KeyError(f"no section of docs/api.md shows handlers.{missing[0]}")
    parts = []
    for title, of_section in SECTIONS.items():
        shown = {name: found for name, found in names.items() if packages[name] in of_section and not _is_error(found)}
        parts.append(f"## {title}\n\n" + "\n".join(_entry(name, found) for name, found in shown.items()))
    errors = {name: found for name, found in names.items() if _is_error(found)}
    rows = [f"| `{name}` | {_cell(found.__base__.__name__)} | {_first(found)} |\n" for name, found in errors.items()]
    parts.append("## Errors\n\n| error | is a | when |\n| --- | --- | --- |\n" + "".join(rows))
    return "\n" + "\n".join(parts) + "\n"


def _is_error(found: Any) -> bool:
    return inspect.isclass(found) and issubclass(found, Exception)


def _entry(name: str, found: Any) -> str:
    if inspect.isclass(found):
        methods = "".join(f"- `{one}{_signature(value)}`: {_first(value)}\n" for one, value in _methods(found))
        return f"### {name}\n\n{_code(name, found)}\n{_text(found)}\n" + (f"\n{methods}" if methods else "")
    if inspect.isfunction(found):
        return f"### {name}\n\n{_code(name, found)}\n{_text(found)}\n"
    return f"### {name}\n\n`{found!r}`\n"


def _methods(cls: type) -> list[tuple[str, Any]]:
    """Public methods and properties in the order of their definition, those of base classes first."""
    found: dict[str, Any] = {}
    for one in reversed(cls.__mro__[:-1]):
        found.update({name: value for name, value in vars(one).items() if inspect.getdoc(value)})
    return [
        (name, value)
        for name, value in found.items()
        if not name.startswith("_")
        and name not in _INHERITED
        and isinstance(value, property | classmethod | staticmethod) | inspect.isfunction(value)
    ]


def _code(name: str, found: Any) -> str:
    if getattr(found, "_is_protocol", False):
        return f"```text\nclass {name}(Protocol)\n```\n"
    head = f"{'class ' if inspect.isclass(found) else ''}{name}"
    line = head + _signature(found)
    if len(line) > _WIDEST:
        line = head + _signature(found, each_on_a_line=True)
    return f"```text\n{line}\n```\n"


def _signature(found: Any, *, each_on_a_line: bool = False) -> str:
    if isinstance(found, property):
        return ""
    function = found.__func__ if isinstance(found, classmethod | staticmethod) else found
    signature = inspect.signature(function)
    kept = [one for one in signature.parameters.values() if one.name not in ("self", "cls", "_cls")]
    returns = inspect.Signature.empty if inspect.isclass(function) else signature.return_annotation
    shown = str(signature.replace(parameters=kept, return_annotation=returns))
    if each_on_a_line:
        rows = [str(one) for one in kept]
        named_only = [index for index, one in enumerate(kept) if one.kind is one.KEYWORD_ONLY]
        if named_only:
            rows.insert(named_only[0], "*")
        shown = f"(\n{''.join(f'    {row},{chr(10)}' for row in rows)}){shown.rpartition(')')[2]}"
    shown = re.sub(r"<(?:built-in )?function (\w+)(?: at 0x[0-9a-f]+)?>|<class '(?:\w+\.)*(\w+)'>", r"\1\2", shown)
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", shown)  # annotations are strings


def _first(found: Any) -> str:
    """The first sentence or paragraph of the docstring, as one line of a table."""
    text = " ".join((inspect.getdoc(found) or "").partition("\n\n")[0].split())
    return _cell(text)


def _cell(text: str) -> str:
    return _marked(text).replace("|", "\\|")


def _text(found: Any) -> str:
    """The docstring as Markdown: sections such as ``Raises:`` as lists."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", inspect.getdoc(found) or ""):
        head, _, rest = paragraph.partition("\n")
        if re.fullmatch(r"(Raises|Returns|Args|Yields):", head):
            body = " ".join(textwrap.dedent(rest).split())
            lines.append(f"{head} {body}")
        else:
            lines.append(" ".join(paragraph.split()))
    return _marked("\n\n".join(lines))


def _marked(text: str) -> str:
    parts = re.split(r"(``.+?``)", text)
    return "".join(
        f"`{part[2:-2]}`" if part.startswith("``") and part.endswith("``") else part.replace("<", "&lt;")
        for part in parts
    )
