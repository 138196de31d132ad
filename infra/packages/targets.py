"""Target environments of packages: the functions' runtime, or the running Python."""

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
#: Lambda's runtimes receive all patch releases ("Lambda runtimes", updates), so markers are evaluated for a high one.
_LAST_PATCH = 99


@dataclass(frozen=True)
class Target:
    """An environment that packages are installed for.

    ``arguments``: pip's arguments that select it. ``environment``: values for markers (PyPA, "Dependency specifiers",
    environment markers), because pip evaluates markers for its own Python, whatever its arguments (pypa/pip issue
    11664).
    """

    name: str
    python: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]

    def accepts(self, marker: Marker | None, extras: Iterable[str] = ()) -> bool:
        """Whether a requirement with this marker applies to the target, with or without one of the extras."""
        environments = ({**self.environment, "extra": extra} for extra in ("", *extras))
        return marker is None or any(marker.evaluate(one) for one in environments)

    def of(self, pins: Sequence[Pin]) -> list[Pin]:
        """The pins that apply to the target. Raises PackagingError: two are of the same package."""
        chosen: dict[str, Pin] = {}
        for pin in pins:
            if not self.accepts(pin.marker):
                continue
            if pin.key in chosen:
                raise PackagingError(f"{FILE}: {pin.name} is listed twice for {self.name}")
            chosen[pin.key] = pin
        return list(chosen.values())


def of_functions(runtime: str, architecture: str) -> Target:
    """The target for a runtime (``python3.13``) and architecture of Lambda: wheels for Linux, and pure-Python ones."""
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
    """The target for the running Python."""
    version = ".".join(map(str, sys.version_info[:2]))
    environment = cast(Mapping[str, str], default_environment())
    return Target(f"python{version} on this machine", f"{version}-{sys.platform}", (), environment)
