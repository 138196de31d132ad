"""Import strategies: how the application imports the files of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from handlers.commands.targets.registry import instance_of, marked_classes
from handlers.core.errors import RegistryError, ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.json_values import same_json
from handlers.imports.encodings.catalogue import encoding_named
from handlers.imports.errors import ImportRefused
from handlers.imports.files.layout import (
    ASYNC,
    LAST,
    LINE_COLUMN,
    ON_DUPLICATE,
    PUBLISH_MODES,
    REPORT_COLUMNS,
    ROW_COLUMN,
    SYNC,
    Layout,
)

if TYPE_CHECKING:
    from handlers.commands.model import Command, CommandInput

EQUAL = "EQUAL"
NOT_EXIST = "NOT_EXIST"
CHANGED = "CHANGED"

#: Column name to text, or to a JSON value in JSON Lines.
Row = Mapping[str, Any]
_MARK = "__cqrs_import__"
_TABLE = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class ImportStrategy:
    """Base of strategies: implement ``map``, and override the others if needed.

    ``transform``, ``validate`` and ``map`` must not have side effects: a row may be processed more than once.
    """

    def transform(self, row: Row) -> Row:
        """The row to pass to ``validate`` and ``map``."""
        return row

    def validate(self, row: Row) -> None:
        """Raises ValidationError naming the column."""

    def map(self, row: Row) -> CommandInput:
        """The row as a command; its version is replaced by that of the latest command."""
        raise NotImplementedError

    def compare(self, latest: Command | None, given: CommandInput) -> str:
        """Compare with the latest version (None: nothing is stored), values as stored: EQUAL, NOT_EXIST or CHANGED."""
        if latest is None:
            return NOT_EXIST
        same = (
            latest.name == given.name
            and latest.is_deleted == given.is_deleted
            and latest.seq == given.seq
            and same_json(latest.attributes, given.attributes)
        )
        return EQUAL if same else CHANGED


C = TypeVar("C", bound=type)


def import_strategy(
    table: str,
    *,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    optional: tuple[str, ...] = (),
    publish: str = ASYNC,
    on_duplicate: str = LAST,
    encoding: str | None = None,
) -> Callable[[C], C]:
    """Mark a class as the strategy for files of ``table``; the parameters are those of ``Layout``.

    The constructor may take collaborators by parameter name (see ``docs/application.md``).
    """

    def mark(cls: C) -> C:
        setattr(cls, _MARK, Layout(table, columns, key, optional, publish, on_duplicate, encoding))
        return cls

    return mark


@dataclass(frozen=True)
class Table:
    """A table's layout with its strategy."""

    layout: Layout
    strategy: ImportStrategy


class ImportTables:
    """The import strategies of a deployment."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = dict(tables)

    @property
    def names(self) -> list[str]:
        """The tables into which files can be imported."""
        return sorted(self._tables)

    @property
    def any_sync(self) -> bool:
        """Whether any table publishes synchronously."""
        return any(table.layout.publish == SYNC for table in self._tables.values())

    def of(self, table: str) -> Table:
        """The strategy of a table. Raises ValidationError naming the known ones."""
        found = self._tables.get(table)
        if found is None:
            raise unknown_table(table, self.names)
        return found


def unknown_table(table: str, names: Iterable[str]) -> ValidationError:
    """The error for a table without a strategy; names the known tables."""
    return ValidationError("tableName", table, f"one of {', '.join(names) or '(none is registered)'}")


def table_names(module_names: Iterable[str]) -> list[str]:
    """The tables for which the modules have strategies; builds none. Raises RegistryError, naming the module."""
    return sorted({getattr(cls, _MARK).table for name in module_names for cls in marked_classes(name, _MARK)})


def load_import_tables(module_names: Iterable[str], collaborators: Mapping[str, Any]) -> ImportTables:
    """Import the modules and build their strategies.

    Raises:
        RegistryError: a module can't be imported, a layout is invalid, or a table has two strategies.
    """
    found: dict[str, Table] = {}
    for module_name in module_names:
        for cls in marked_classes(module_name, _MARK):
            layout: Layout = getattr(cls, _MARK)
            where = f"{module_name}.{cls.__name__}"
            _check(where, layout)
            if not issubclass(cls, ImportStrategy) or cls.map is ImportStrategy.map:
                raise RegistryError(f"{where}: an import strategy is an ImportStrategy with a method map(row)")
            if layout.table in found:
                other = type(found[layout.table].strategy)
                raise RegistryError(
                    f"{where}: import table {layout.table!r} is already used by {other.__module__}.{other.__name__}"
                )
            strategy = instance_of(cls, where, collaborators, "an import strategy", "map(row)")
            found[layout.table] = Table(layout, strategy)
    return ImportTables(found)


def _check(where: str, layout: Layout) -> None:
    if not isinstance(layout.table, str) or not _TABLE.fullmatch(layout.table):
        raise RegistryError(
            f"{where}: import table {layout.table!r} is not allowed; expected lower-case letters, digits, '-' and '_', "
            "starting with a letter, at most 63 characters"
        )
    for name, given, allowed in (
        ("publish", layout.publish, PUBLISH_MODES),
        ("on_duplicate", layout.on_duplicate, ON_DUPLICATE),
    ):
        if given not in allowed:
            raise RegistryError(f"{where}: {name} {given!r} is not allowed; expected one of {', '.join(allowed)}")
    if layout.encoding is not None:
        try:
            encoding_named(layout.encoding)
        except ImportRefused as error:
            raise RegistryError(f"{where}: {error}") from error
    for name, columns in (("columns", layout.columns), ("key", layout.key), ("optional", layout.optional)):
        if not isinstance(columns, tuple) or not all(isinstance(one, str) and one for one in columns):
            raise RegistryError(f"{where}: {name} {columns!r} is not allowed; expected a tuple of names")
    names = [*layout.columns, *layout.optional]
    twice = sorted({one for one in names if names.count(one) > 1} | ({ROW_COLUMN, LINE_COLUMN} & set(names)))
    if twice:
        raise RegistryError(f"{where}: column {twice[0]!r} is named twice, or is one of the import's own")
    if set(REPORT_COLUMNS) <= set(layout.optional):
        raise RegistryError(
            f"{where}: {', '.join(REPORT_COLUMNS)} can't all be optional: a report of failed rows begins with them"
        )
    if not layout.key or not set(layout.key) <= set(layout.columns):
        raise RegistryError(f"{where}: key {layout.key!r} is not allowed; expected at least one of the columns")
