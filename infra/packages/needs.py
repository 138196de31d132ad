"""Dependencies of the downloaded wheels in their target environment, all of which must be listed."""

from __future__ import annotations

import email
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement  # comes with pulumi

from infra.packages.requirements import FILE, Pin, normal
from infra.packages.targets import Target
from infra.packaging import PackagingError


@dataclass(frozen=True)
class Wheel:
    """A downloaded wheel: its normalised name, its version and its requirements."""

    path: Path
    name: str
    version: str
    needs: tuple[Requirement, ...]


def wheels_of(folder: Path) -> dict[str, Wheel]:
    """The wheels of a folder, by name. Raises PackagingError: a wheel has an invalid requirement."""
    wheels = (_read(path) for path in sorted(folder.glob("*.whl")))
    return {wheel.name: wheel for wheel in wheels}


def missing(pins: Sequence[Pin], wheels: Mapping[str, Wheel], target: Target) -> list[Requirement]:
    """The wheels' requirements that none of the wheels provides.

    Raises:
        PackagingError: a wheel requires another version of a wheel.
    """
    extras = {name: set[str]() for name in wheels}
    for pin in pins:
        extras[pin.key] |= pin.extras
    while True:
        needs = [(wheel, need) for wheel in wheels.values() for need in _needs(wheel, extras[wheel.name], target)]
        asked = [(normal(need.name), set(map(normal, need.extras))) for _, need in needs]
        more = [(name, wanted) for name, wanted in asked if name in wheels and not wanted <= extras[name]]
        if not more:
            break
        for name, wanted in more:
            extras[name] |= wanted
    for wheel, need in needs:
        found = wheels.get(normal(need.name))
        if found is not None and not need.specifier.contains(found.version, prereleases=True):
            raise PackagingError(
                f"{FILE}: {wheel.name}=={wheel.version} needs {need.name}{need.specifier}, not =={found.version}"
            )
    return [need for _, need in needs if normal(need.name) not in wheels]


def _needs(wheel: Wheel, extras: set[str], target: Target) -> Iterator[Requirement]:
    return (need for need in wheel.needs if target.accepts(need.marker, extras))


def _read(path: Path) -> Wheel:
    name, version = path.name.split("-")[:2]
    with zipfile.ZipFile(path) as packed:
        member = next(one for one in packed.namelist() if one.endswith(".dist-info/METADATA") and one.count("/") == 1)
        metadata = email.message_from_bytes(packed.read(member))
    try:
        needs = tuple(Requirement(one) for one in metadata.get_all("Requires-Dist", []))
    except InvalidRequirement as error:
        raise PackagingError(f"{FILE}: {path.name} needs what can't be read: {error}".partition("\n")[0]) from error
    return Wheel(path, normal(name), version, needs)
