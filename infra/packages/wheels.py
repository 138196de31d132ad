"""Wheels of pinned packages, fetched by pip and unpacked into a folder: the same bytes wherever that is done.

pip's own ``--target`` leaves the path of its Python in scripts and a record of its own doing, so only its download is
used. A wheel is a zip file whose content goes into the folder as it is, but for ``<name>.data``, which says where to
(PyPA, "Binary distribution format").
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

from infra.packages.requirements import FILE, Pin, normal
from infra.packaging import PackagingError

#: Raised when folders are made in another way than before.
FORMAT = 1
_NOT_FOUND = re.compile(r"No matching distribution found for ([^\s;(]+)")
#: What of a wheel's ``.data`` is importable.
_LIBRARIES = ("purelib", "platlib")
#: glibc of Lambda's runtimes: Amazon Linux 2 has 2.26, Amazon Linux 2023, from Python 3.12 on, 2.34 (Lambda Developer
#: Guide, "Lambda runtimes"; AL2023 User Guide, "Comparing AL2 and AL2023").
_GLIBC = {"python3.11": 26}
_GLIBC_OF_AL2023 = 34
_OLDEST_GLIBC = 5
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True)
class Target:
    """Whom the packages are for. ``arguments``: pip's, that say so."""

    name: str
    python: str
    arguments: tuple[str, ...]


def of_functions(runtime: str, architecture: str) -> Target:
    """A runtime (``python3.13``) and architecture of Lambda: wheels for Linux, and those that run anywhere."""
    machine, python = _MACHINES[architecture], runtime.removeprefix("python")
    newest = _GLIBC.get(runtime, _GLIBC_OF_AL2023)
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    chosen = [part for one in platforms for part in ("--platform", one)]
    arguments = ("--implementation", "cp", "--python-version", python, *chosen)
    return Target(f"{runtime} on {architecture}", python, arguments)


def of_this_machine() -> Target:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:2]))
    return Target(f"python{version} on this machine", f"{version}-{sys.platform}", ())


@dataclass(frozen=True)
class Packages:
    """An unpacked set of packages: its folder, the bytes of its files, and as much of a zip file of them."""

    folder: Path
    unpacked: int
    zipped: int

    @property
    def names(self) -> frozenset[str]:
        """What can be imported from it, top-level names."""
        return frozenset(
            entry.name.partition(".")[0]
            for entry in self.folder.iterdir()
            if not entry.name.endswith((".dist-info", ".libs")) and (entry.is_dir() or entry.suffix in (".py", ".so"))
        )


def installed(pins: Sequence[Pin], target: Target, cache: Path) -> Packages:
    """The packages below ``cache``, unpacked by the first who asks for them.

    Raises:
        PackagingError: a package without a wheel for the target, what a listed one needs and is not listed, or no pip.
    """
    listed = "\n".join(sorted(pin.line for pin in pins))
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
        _download(pins, target, Path(folder))
        wheels = sorted(Path(folder).glob("*.whl"))
        _check_listed(pins, wheels)
        site = home / "site"
        site.mkdir()
        for wheel in wheels:
            _unpack(wheel, site)
    files = sorted(path for path in site.rglob("*") if path.is_file())
    packed = home / "measured.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(site))
    sizes = {"unpacked": sum(path.stat().st_size for path in files), "zipped": packed.stat().st_size}
    packed.unlink()
    (home / "sizes.json").write_text(json.dumps(sizes))


def _download(pins: Sequence[Pin], target: Target, folder: Path) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(pin.line for pin in pins) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--only-binary=:all:", "--dest", str(folder), "--requirement", str(wanted), *target.arguments),
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
            f"{FILE}: there is no wheel of {missing[1]} for {target.name}; nothing is compiled for functions: pin a "
            "version that has one, or another package"
        )
    said = [line for line in done.stderr.strip().split("\n") if line] or [f"exit code {done.returncode}"]
    raise PackagingError(f"{FILE}: pip can't fetch the packages for {target.name}: {said[-1]}")


def _check_listed(pins: Sequence[Pin], wheels: Sequence[Path]) -> None:
    """Refuse what came along unnamed: its version would be another one some day."""
    found = [(parts[0], parts[1]) for parts in (wheel.name.split("-") for wheel in wheels)]
    known = {pin.key for pin in pins}
    unlisted = [f"{name.replace('_', '-')}=={version}" for name, version in found if normal(name) not in known]
    if unlisted:
        raise PackagingError(f"{FILE}: the packages there need others; add {', '.join(unlisted)}")


def _unpack(wheel: Path, site: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for entry in packed.infolist():
            path = _place(PurePosixPath(entry.filename))
            if entry.is_dir() or path is None:
                continue
            if path.is_absolute() or ".." in path.parts:
                raise PackagingError(f"{FILE}: {wheel.name} has a file outside of itself: {entry.filename}")
            file = site / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(packed.read(entry))


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """Where a file of a wheel goes; None: scripts, headers and data files are not importable."""
    if not path.parts or not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if len(path.parts) > 2 and path.parts[1] in _LIBRARIES else None
