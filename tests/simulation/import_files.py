"""The files of the simulation, and what must become of each of their rows, worked out apart from the product's code."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.imports.errors import INVALID_VALUE, REPEATED_KEY, TOO_MANY_VALUES
from tests.simulation.import_strategies import COLUMNS, FIRSTS, LASTS, NOTES, SYNCS

#: The target refuses commands with this note, so that they fail for good.
REFUSED = "refuse"
#: As the simulation's callers have it: whatever is told to others must not hold it.
SECRET = "secret"
NOTE_CODES = ("n01", "n02", "n03", "n04", "n05", "n06")
#: A file without the columns of its table.
BROKEN = b"code,note\nf01,x\n"


@dataclass(frozen=True)
class Row:
    """A row. ``fails``: the code that it must fail with; ``superseded_by``: the index of the row that wins."""

    values: tuple[str, ...]
    fails: str | None = None
    superseded_by: int | None = None

    @property
    def code(self) -> str:
        """Its key."""
        return self.values[0]

    @property
    def attributes(self) -> dict[str, object]:
        """As its command has them. Only of rows that can be published."""
        return {"n": int(self.values[1]), "note": self.values[2]}


@dataclass(frozen=True)
class File:
    """A file for one table."""

    table: str
    rows: tuple[Row, ...]

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return "\n".join([",".join(COLUMNS), *(",".join(row.values) for row in self.rows), ""]).encode()


@dataclass(frozen=True)
class Archive:
    """An archive with files by name; those that are no ``File`` can't be imported."""

    files: tuple[tuple[str, File | bytes], ...]

    @property
    def content(self) -> bytes:
        """Its bytes, always the same."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in self.files:
                archive.writestr(zipfile.ZipInfo(name), file if isinstance(file, bytes) else file.content)
        return buffer.getvalue()


def draw_archive(rng: random.Random, codes: Sequence[str], refused: Sequence[str], *, most: int) -> Archive:
    """An archive with up to three files, of which some have no table, or not its columns."""
    files: list[tuple[str, File | bytes]] = []
    for number in range(rng.randint(0, 3)):
        file = draw_file(rng, codes, refused, most=most)
        drawn = rng.random()
        if drawn < 0.1:
            files.append((f"{number}-of-no-table.csv", file.content))
        elif drawn < 0.2:
            files.append((f"2026010100000{number}-{file.table}.csv", BROKEN))
        else:
            files.append((f"2026010100000{number}-{file.table}.csv", file))
    return Archive(tuple(files))


def draw_file(rng: random.Random, codes: Sequence[str], refused: Sequence[str], *, most: int) -> File:
    """A file with rows for these entities, several of them for the same, some that can't be published, and some for
    entities whose commands are ``refused``.
    """
    table = rng.choice((LASTS, FIRSTS, SYNCS, NOTES))
    if table == NOTES:
        codes, refused = NOTE_CODES, ()
    return File(table, _judged(table, [_draw_values(rng, codes, refused) for _ in range(rng.randint(0, most))]))


def _draw_values(rng: random.Random, codes: Sequence[str], refused: Sequence[str]) -> tuple[str, ...]:
    drawn = rng.random()
    if drawn < 0.08:
        return (rng.choice(codes), "?", SECRET)
    if drawn < 0.12:
        return (rng.choice(codes), "1", SECRET, "too much")
    if drawn < 0.2 and refused:
        return (rng.choice(refused), str(rng.randint(0, 1)), REFUSED)
    # Few numbers, so that rows are often equal to what is stored already.
    return (rng.choice(codes), str(rng.randint(0, 2)), SECRET)


def _judged(table: str, given: Sequence[tuple[str, ...]]) -> tuple[Row, ...]:
    readable = [index for index, values in enumerate(given) if len(values) == len(COLUMNS)]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index in readable:
        first.setdefault(given[index][0], index)
        last[given[index][0]] = index
    rows = []
    for index, values in enumerate(given):
        if index not in readable:
            rows.append(Row(values, fails=TOO_MANY_VALUES))
        elif table == FIRSTS and first[values[0]] != index:
            rows.append(Row(values, fails=REPEATED_KEY))
        elif table != FIRSTS and last[values[0]] != index:
            rows.append(Row(values, superseded_by=last[values[0]]))
        else:
            rows.append(Row(values, fails=None if values[1].isdigit() else INVALID_VALUE))
    return tuple(rows)
