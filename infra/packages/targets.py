"""For whom packages are fetched: the functions' runtime, or the Python that runs this."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from packaging.markers import Marker, default_environment  # comes with pulumi

from infra.packages.requirements import FILE, Pin
from infra.packaging import PackagingError

#: glibc of Lambda's runtimes: Amazon Linux 2 has 2.26, Amazon Linux 2023, from Python 3.12 on, 2.34 (Lambda Developer
#: Guide, "Lambda runtimes"; AL2023 User Guide, "Comparing AL2 and AL2023").
_GLIBC = {"python3.11": 26}
_GLIBC_OF_AL2023 = 34
_OLDEST_GLIBC = 5
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
#: Lambda's runtimes get each patch of their Python ("Lambda runtimes", updates): markers that ask for one see the last.
_LAST_PATCH = 99


@dataclass(frozen=True)
class Target:
    """Whom the packages are for.

    ``arguments``: pip's, that say so. ``environment``: what markers are judged by (PyPA, "Dependency specifiers",
    environment markers); pip judges them by its own Python, whatever its arguments say (pypa/pip issue 11664).
    """

    name: str
    python: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]

    def accepts(self, marker: Marker | None, extras: Iterable[str] = ()) -> bool:
        """Whether what has this marker is for the target, with one of the extras or without."""
        environments = ({**self.environment, "extra": extra} for extra in ("", *extras))
        return marker is None or any(marker.evaluate(one) for one in environments)

    def of(self, pins: Sequence[Pin]) -> list[Pin]:
        """Those that are for the target. Raises PackagingError: two are of the same package."""
        chosen: dict[str, Pin] = {}
        for pin in pins:
            if not self.accepts(pin.marker):
                continue
            if pin.key in chosen:
                raise PackagingError(f"{FILE}: {pin.name} is listed twice for {self.name}")
            chosen[pin.key] = pin
        return list(chosen.values())


def of_functions(runtime: str, architecture: str) -> Target:
    """A runtime (``python3.13``) and architecture of Lambda: wheels for Linux, and those that run anywhere."""
    machine, python = _MACHINES[architecture], runtime.removeprefix("python")
    newest = _GLIBC.get(runtime, _GLIBC_OF_AL2023)
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    chosen = [part for one in platforms for part in ("--platform", one)]
    arguments = ("--implementation", "cp", "--python-version", python, *chosen)
    environment = {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.{_LAST_PATCH}",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.{_LAST_PATCH}",
        "python_version": python,
        "sys_platform": "linux",
    }
    return Target(f"{runtime} on {architecture}", python, arguments, environment)


def of_this_machine() -> Target:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:2]))
    environment = cast(Mapping[str, str], default_environment())
    return Target(f"python{version} on this machine", f"{version}-{sys.platform}", (), environment)
