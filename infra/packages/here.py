"""Lets this Python import the application's packages: for commands and tests that make its classes themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from infra.packages.layer import CACHE
from infra.packages.requirements import application_pins
from infra.packages.targets import of_this_machine
from infra.packages.wheels import installed


def make_importable(root: Path, folders: Iterable[str]) -> None:
    """What ``applicationPackages`` names, and what ``handlers/requirements.txt`` lists, behind all else.

    Raises:
        PackagingError: they can't be installed.
    """
    places = [root / Path(folder).parent for folder in folders]
    pins = application_pins(root)
    if pins:
        places.append(installed(pins, of_this_machine(), root / CACHE).folder)
    for place in map(str, places):
        if place not in sys.path:
            sys.path.append(place)
