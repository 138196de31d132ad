"""Wheels made by tests, and pip that knows no others."""

from __future__ import annotations

import base64
import hashlib
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The tag of a wheel with a compiled part for this machine.
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}-cp{sys.version_info.major}{sys.version_info.minor}-" + (
    sysconfig.get_platform().replace("-", "_").replace(".", "_")
)
#: The same for functions on arm64, and for any machine.
ARM64 = "cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64"
ANY = "py3-none-any"


def wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    tag: str = ANY,
    needs: Sequence[str] = (),
) -> Path:
    """Write a wheel with these files; ``needs`` are its requirements."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    content = {one: text.encode() if isinstance(text, str) else text for one, text in files.items()}
    content[f"{info}/METADATA"] = "\n".join(["Metadata-Version: 2.1", *metadata, ""]).encode()
    tags = [f"Tag: {tag}"]
    content[f"{info}/WHEEL"] = "\n".join(["Wheel-Version: 1.0", "Root-Is-Purelib: true", *tags, ""]).encode()
    record = "".join(f"{one},sha256={_digest(data)},{len(data)}\n" for one, data in content.items())
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for one, data in content.items():
            packed.writestr(one, data)
        packed.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def only(folder: Path) -> dict[str, str]:
    """The environment in which pip takes wheels from the folder and from nowhere else."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
