"""Function code: Pulumi assets and archives, unpacked once per content."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pulumi import AssetArchive, FileArchive, FileAsset, StringAsset

from local.deploy.errors import DeployError

#: The date of every zip entry, so that equal content gives equal bytes (the earliest that zip supports).
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Unpacked:
    """An archive on disk: its folder, the hash of its content, and the content as a zip file."""

    folder: Path
    digest: str
    zip: bytes


class Archives:
    """Unpacks archives below ``work_dir``; equal content is unpacked once."""

    def __init__(self, work_dir: Path) -> None:
        self._root = work_dir / "functions"
        self._known: dict[str, Unpacked] = {}
        #: by names and files, since a program's functions share one archive, which is read once
        self._seen: dict[tuple[tuple[str, str], ...], Unpacked] = {}

    def unpack(self, archive: Any, label: str) -> Unpacked:
        """Unpack a Pulumi archive.

        Raises:
            DeployError: it isn't an archive, is empty, or has a member outside of itself; ``label`` names its owner.
        """
        files = _files_of(archive)
        if files is None:
            return self._unpack(archive, label)
        seen = self._seen.get(files)
        if seen is None:
            seen = self._seen[files] = self._unpack(archive, label)
        return seen

    def _unpack(self, archive: Any, label: str) -> Unpacked:
        members = _members(archive, label)
        if not members:
            raise DeployError(f"the archive of {label} is empty")
        digest = hashlib.sha256()
        for name, content in sorted(members.items()):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        key = digest.hexdigest()
        if key not in self._known:
            self._known[key] = Unpacked(self._write(key, members), key, _zip(members))
        return self._known[key]

    def _write(self, key: str, members: dict[str, bytes]) -> Path:
        folder = self._root / key[:16]
        if folder.exists():
            return folder
        self._root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=self._root, prefix="partial-"))
        for name, content in members.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(partial)  # another process was faster with the same content
        return folder


def _files_of(archive: Any) -> tuple[tuple[str, str], ...] | None:
    """The names and paths of an archive of single files; None for other archives."""
    parts = archive.assets.items() if isinstance(archive, AssetArchive) else ()
    files = tuple((name, str(part.path)) for name, part in parts if isinstance(part, FileAsset))
    return files if files and len(files) == len(parts) else None


def _members(archive: Any, label: str, prefix: str = "") -> dict[str, bytes]:
    if isinstance(archive, FileArchive):
        return _file_members(Path(archive.path), label, prefix)
    if not isinstance(archive, AssetArchive):
        raise DeployError(f"the code of {label} is {type(archive).__name__}; allowed: FileArchive, AssetArchive")
    members: dict[str, bytes] = {}
    for name, part in archive.assets.items():
        inner = _member_name(prefix, name, label)
        if isinstance(part, FileAsset):
            members[inner] = _content(Path(part.path), label)
        elif isinstance(part, StringAsset):
            members[inner] = part.text.encode()
        else:
            members.update(_members(part, label, inner))
    return members


def _file_members(path: Path, label: str, prefix: str) -> dict[str, bytes]:
    if path.is_dir():
        return {
            _member_name(prefix, str(file.relative_to(path).as_posix()), label): file.read_bytes()
            for file in _files(path)
        }
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            return {
                _member_name(prefix, entry.filename, label): packed.read(entry)
                for entry in packed.infolist()
                if not entry.is_dir()
            }
    raise DeployError(f"the archive of {label} is neither a folder nor a zip file: {path}")


def _files(folder: Path) -> list[Path]:
    return sorted(Path(root) / name for root, _, names in os.walk(folder) for name in names)


def _content(path: Path, label: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeployError(f"the archive of {label} lacks a file: {error}") from error


def _member_name(prefix: str, name: str, label: str) -> str:
    path = PurePosixPath(prefix, name)
    if path.is_absolute() or ".." in path.parts:
        raise DeployError(f"the archive of {label} has a member outside of itself: {name}")
    return str(path)


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in sorted(members.items()):
            packed.writestr(zipfile.ZipInfo(name, ZIP_DATE), content)
    return buffer.getvalue()
