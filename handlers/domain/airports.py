"""Sample with real data: airports, from CSV rows to commands to a card per airport."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from handlers import (
    APPLIED,
    DATA,
    DEFAULT_KIND,
    LATEST,
    SKIPPED,
    Command,
    CommandInput,
    ConditionFailed,
    EntityKey,
    ImportStrategy,
    NotFound,
    TableStore,
    TaskCall,
    ValidationError,
    absent,
    at_most,
    import_strategy,
    sync_handler,
    task_handler,
)

TYPE = "AIRPORT"
FEET_IN_A_METRE = 3.28084
#: Per degree of latitude: a quarter of the meridian is 10,002 km.
KILOMETRES_IN_A_DEGREE = 111.13
#: In the order of the sample file; other files may have a different order.
COLUMNS = ("icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid")
REQUIRED = ("icao", "name", "country", "lat", "lon")
OPTIONAL = tuple(column for column in COLUMNS if column not in REQUIRED)
TEXT_COLUMNS = ("iata", "city", "subd", "country", "tz", "lid")

_ICAO = re.compile(r"[A-Z0-9-]{3,8}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)


def airport_input(row: Mapping[str, str], version: int = LATEST) -> CommandInput:
    """Convert a row of the airports file to a command.

    Raises:
        ValidationError: naming the column; the rules are those of the file's own description (data/README.md).
    """
    if not _ICAO.fullmatch(row["icao"]):
        raise ValidationError("icao", row["icao"], "3 to 8 of A-Z, 0-9 and '-'")
    if not row["name"]:
        raise ValidationError("name", row["name"], "text that is not empty")
    if not _COUNTRY.fullmatch(row["country"]):
        raise ValidationError("country", row["country"], "two letters A-Z")
    attributes: dict[str, Any] = {column: row[column] for column in TEXT_COLUMNS}
    attributes["lat"] = _number("lat", row["lat"], 90)
    attributes["lon"] = _number("lon", row["lon"], 180)
    attributes["elevation"] = _number("elevation", row["elevation"]) if row["elevation"] else None
    return CommandInput(type=TYPE, code=row["icao"], name=row["name"], attributes=attributes, version=version)


@import_strategy("airports", columns=REQUIRED, key=("icao",), optional=OPTIONAL)
class AirportImport(ImportStrategy):
    """Rows of the airports file become commands."""

    def map(self, row: Mapping[str, str]) -> CommandInput:
        """Raises ValidationError naming the column."""
        return airport_input(row)


@sync_handler(TYPE, id="airport-card")
class AirportCard:
    """Writes ``AIRPORT_CARD#<tenant>`` rows: elevation in metres and the hemispheres, derived from the command."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> str:
        """Keeps a later version; rewrites the same one, so that a resync repairs rows that a bug has corrupted."""
        key = EntityKey("AIRPORT_CARD", command.tenant_code, command.type, command.code)
        row = {"pk": key.pk, "sk": key.sk, "version": command.version, **card(command.attributes)}
        try:
            self._store.put(DATA, row, absent("pk") | at_most("version", command.version))
        except ConditionFailed:
            return SKIPPED
        return APPLIED


@task_handler("airport-distances", expected_seconds=0.2)
class DistanceToEquator:
    """For each airport code in a list, computes the distance to the equator from the read model and stores it."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def run(self, code: str, call: TaskCall) -> dict[str, Any]:
        """Conditional on the airport's version, so a repeated or late call changes nothing. Raises NotFound."""
        key = EntityKey(DEFAULT_KIND, call.context.tenant_code, TYPE, code)
        airport = self._store.get(DATA, key.pk, key.sk)
        if airport is None:
            raise NotFound(f"{key}: there is no such airport")
        kilometres = round(abs(airport["attributes"]["lat"]) * KILOMETRES_IN_A_DEGREE)
        beside = EntityKey("AIRPORT_DISTANCE", call.context.tenant_code, TYPE, code)
        row = {"pk": beside.pk, "sk": beside.sk, "version": airport["version"], "kilometresToEquator": kilometres}
        with suppress(ConditionFailed):
            self._store.put(DATA, row, absent("pk") | at_most("version", airport["version"]))
        return {"kilometresToEquator": kilometres}


def card(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The derived attributes of an airport."""
    feet = attributes["elevation"]
    return {
        "elevationMetres": None if feet is None else round(feet / FEET_IN_A_METRE),
        "hemispheres": ("N" if attributes["lat"] >= 0 else "S") + ("E" if attributes["lon"] >= 0 else "W"),
    }


def _number(column: str, text: str, limit: float | None = None) -> float:
    allowed = "a number" if limit is None else f"a number from -{limit} to {limit}"
    if not _NUMBER.fullmatch(text):
        raise ValidationError(column, text, allowed)
    value = float(text)
    if limit is not None and abs(value) > limit:
        raise ValidationError(column, text, allowed)
    return value
