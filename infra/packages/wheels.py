"""Wheels of pinned packages, downloaded by pip and unpacked into a folder with the same bytes on every machine.

pip's ``--target`` writes the path of its Python into scripts and a record of the installation, so pip only downloads.
A wheel is a zip file whose content is unpacked as it is, except for ``<name>.data``, whose subfolders name their
destination (PyPA, "Binary distribution format").
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement  # comes with pulumi
from packaging.specifiers import SpecifierSet

from infra.packages.needs import missing, wheels_of
from infra.packages.requirements import FILE, Pin, normal
from infra.packages.targets import Target
from infra.packaging import PackagingError

#: Incremented when the layout of the folders changes.
FORMAT = 2
_NOT_FOUND = re.compile(r"No matching distribution found for ([^\s;(]+)")
#: The importable parts of a wheel's ``.data``.
_LIBRARIES = ("purelib", "platlib")


@dataclass(frozen=True)
class Packages:
    """An unpacked set of packages: its folder, and its size in bytes, unpacked and zipped."""

    folder: Path
    unpacked: int
    zipped: int

    @property
    def names(self) -> frozenset[str]:
        """The top-level names that can be imported from it."""
        return frozenset(
            entry.name.partition(".")[0]
            for entry in self.folder.iterdir()
            if not entry.name.endswith((".dist-info", ".libs")) and (entry.is_dir() or entry.suffix in (".py", ".so"))
        )


def installed(pins: Sequence[Pin], target: Target, cache: Path) -> Packages:
    """The packages that apply to the target, in a folder below ``cache`` that the first call creates.

    Raises:
        PackagingError: a package has no wheel for the target, a dependency isn't listed, or pip is missing.
    """
    pins = target.of(pins)
    listed = "\n".join(sorted(pin.wanted for pin in pins))
    key = hashlib.sha256(json.dumps([FORMAT, listed, target.name, target.python]).encode()).hexdigest()[:16]
    home = cache / key
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=cache, prefix="partial-"))
        try:
            _install(pins, target, partial)
            partial.chmod(0o755)
            partial.rename(home)
        except OSError:
            if not home.exists():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # it failed, or another process was faster
    sizes = json.loads((home / "sizes.json").read_text())
    return Packages(home / "site", sizes["unpacked"], sizes["zipped"])


def _install(pins: Sequence[Pin], target: Target, home: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _download([pin.wanted for pin in pins], target, Path(folder))
        _check_listed(pins, target, Path(folder))
        site = home / "site"
        site.mkdir()
        for wheel in sorted(Path(folder).glob("*.whl")):
            _unpack(wheel, site)
    files = sorted(path for path in site.rglob("*") if path.is_file())
    packed = home / "measured.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(site))
    sizes = {"unpacked": sum(path.stat().st_size for path in files), "zipped": packed.stat().st_size}
    packed.unlink()
    (home / "sizes.json").write_text(json.dumps(sizes))


def _download(lines: Sequence[str], target: Target, folder: Path) -> None:
    """Download without dependencies, which pip would resolve for its own Python and machine."""
    if not lines:
        return
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
            *(
                "--only-binary=:all:",
                "--no-deps",
                "--dest",
                str(folder),
                "--requirement",
                str(wanted),
                *target.arguments,
            ),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    missing = _NOT_FOUND.search(done.stderr)
    if missing is not None:
        raise PackagingError(
            f"{FILE}: there is no wheel of {missing[1]} for {target.name}; packages are not compiled for functions: "
            "pin a version that has one, or another package"
        )
    said = [line for line in done.stderr.strip().split("\n") if line] or [f"exit code {done.returncode}"]
    raise PackagingError(f"{FILE}: pip can't fetch the packages for {target.name}: {said[-1]}")


def _check_listed(pins: Sequence[Pin], target: Target, folder: Path) -> None:
    """Refuse unlisted dependencies, whose versions could change. pip's current choices are downloaded, so that the
    error can name them.
    """
    known = {pin.key for pin in pins}
    while needs := missing(pins, wheels_of(folder), target):
        _download([f"{name}{needs_of}" for name, needs_of in _together(needs).items()], target, folder)
    unlisted = [f"{one.name}=={one.version}" for one in wheels_of(folder).values() if one.name not in known]
    if unlisted:
        raise PackagingError(f"{FILE}: these packages need others; add {', '.join(unlisted)}")


def _together(needs: Sequence[Requirement]) -> dict[str, SpecifierSet]:
    """Name to the combined version specifiers of all requirements of it."""
    found: dict[str, SpecifierSet] = {}
    for need in needs:
        found[normal(need.name)] = found.get(normal(need.name), SpecifierSet()) & need.specifier
    return found


def _unpack(wheel: Path, site: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for entry in packed.infolist():
            path = _place(PurePosixPath(entry.filename))
            if entry.is_dir() or path is None:
                continue
            if path.is_absolute() or ".." in path.parts:
                raise PackagingError(f"{FILE}: {wheel.name} contains a file outside of its folder: {entry.filename}")
            file = site / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(packed.read(entry))


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """The destination of a wheel's file; None for scripts, headers and data files, which aren't importable."""
    if not path.parts or not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if len(path.parts) > 2 and path.parts[1] in _LIBRARIES else None
