"""Lets this Python import the application's packages: for commands and tests that make its classes themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from infra.packages.layer import CACHE
from infra.packages.requirements import application_pins
from infra.packages.targets import of_this_machine
from infra.packages.wheels import installed


def packages_folder(root: Path) -> Path | None:
    """Where the packages are, for this machine, that ``handlers/requirements.txt`` of a repository lists; None: it
    lists none.

    Raises:
        PackagingError: they can't be installed.
    """
    pins = application_pins(root)
    return installed(pins, of_this_machine(), root / CACHE).folder if pins else None


def make_importable(root: Path, folders: Iterable[str] = ()) -> None:
    """What ``applicationPackages`` names, and what ``handlers/requirements.txt`` lists, behind all else.

    Raises:
        PackagingError: they can't be installed.
    """
    places = [root / Path(folder).parent for folder in folders]
    packages = packages_folder(root)
    if packages is not None:
        places.append(packages)
    for place in map(str, places):
        if place not in sys.path:
            sys.path.append(place)
