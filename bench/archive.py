"""Size of the functions' archive: files and bytes by package, and the size of the upload."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path

from cli.output import table
from infra.bytecode import FOLDER, with_bytecode
from infra.packaging import archive_members, without_unused_samples

ROOT = Path(__file__).resolve().parents[1]


def figures() -> tuple[object, str]:
    """The figures of a stack without modules of the application."""
    members = without_unused_samples(archive_members(ROOT), ())
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name, path in members.items():
        package = "/".join(name.split("/")[:2]) if name.count("/") > 1 else name.partition("/")[0]
        files[package] += 1
        sizes[package] += path.stat().st_size
    zipped = _zipped(members)
    compiled = with_bytecode(members, ROOT / FOLDER)
    rows: list[tuple[object, ...]] = [(one, files[one], f"{sizes[one]:,}") for one in sorted(files)]
    rows.append(("all", files.total(), f"{sizes.total():,}"))
    rows.append(("(as a ZIP file)", "", f"{zipped:,}"))
    with_it = _zipped(compiled)
    rows.append(("(with bytecode, as a ZIP file)", len(compiled), f"{with_it:,}"))
    data = {
        "files": files.total(),
        "bytes": sizes.total(),
        "zippedBytes": zipped,
        "zippedBytesWithBytecode": with_it,
        "packages": dict(sizes),
    }
    return data, table("The functions' archive, without an application", rows, header=("", "files", "bytes"))


def _zipped(members: dict[str, Path]) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in members.items():
            archive.write(path, name)
    return len(buffer.getvalue())
