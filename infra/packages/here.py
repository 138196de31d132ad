"""Makes the application's packages importable here, for commands and tests that instantiate its classes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from infra.packages.layer import CACHE
from infra.packages.requirements import application_pins
from infra.packages.targets import of_this_machine
from infra.packages.wheels import installed


def packages_folder(root: Path) -> Path | None:
    """The folder with the packages of a repository's ``handlers/requirements.txt``, installed for this machine. None:
    it lists none.

    Raises:
        PackagingError: the packages can't be installed.
    """
    pins = application_pins(root)
    return installed(pins, of_this_machine(), root / CACHE).folder if pins else None


def make_importable(root: Path, folders: Iterable[str] = ()) -> None:
    """Append ``folders`` (``applicationPackages``) and the packages of ``handlers/requirements.txt`` to ``sys.path``.

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
