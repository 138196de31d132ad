from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from pulumi import AssetArchive, FileArchive, FileAsset, StringAsset

from local.deploy.archives import Archives
from local.deploy.errors import DeployError


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_text("a = 1\n")
    (folder / "main.py").write_text("import pkg.a\n")
    return folder


def test_all_kinds_of_archives_unpack_to_the_same_files_and_hash(tmp_path: Path, source: Path) -> None:
    packed = tmp_path / "code.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(source / "main.py", "main.py")
        archive.write(source / "pkg" / "a.py", "pkg/a.py")
    archives = Archives(tmp_path / "work")
    kinds = [
        FileArchive(str(source)),
        FileArchive(str(packed)),
        AssetArchive({"main.py": FileAsset(str(source / "main.py")), "pkg/a.py": StringAsset("a = 1\n")}),
        AssetArchive({"main.py": StringAsset("import pkg.a\n"), "pkg": FileArchive(str(source / "pkg"))}),
    ]
    unpacked = [archives.unpack(kind, "f") for kind in kinds]
    assert len({one.digest for one in unpacked}) == 1
    assert len({one.folder for one in unpacked}) == 1
    assert tree(unpacked[0].folder) == {"main.py": "import pkg.a\n", "pkg/a.py": "a = 1\n"}
    assert zipfile.ZipFile(io.BytesIO(unpacked[0].zip)).namelist() == ["main.py", "pkg/a.py"]


def test_times_do_not_matter_and_content_does(tmp_path: Path, source: Path) -> None:
    first = Archives(tmp_path / "one").unpack(FileArchive(str(source)), "f")
    os.utime(source / "main.py", (0, 0))
    second = Archives(tmp_path / "two").unpack(FileArchive(str(source)), "f")
    (source / "main.py").write_text("changed\n")
    third = Archives(tmp_path / "two").unpack(FileArchive(str(source)), "f")
    assert (first.digest, first.zip) == (second.digest, second.zip)
    assert third.digest != first.digest
    assert tree(second.folder)["main.py"] == "import pkg.a\n"


def test_an_unpacked_archive_is_used_again_by_a_later_deployment(tmp_path: Path, source: Path) -> None:
    first = Archives(tmp_path).unpack(FileArchive(str(source)), "f")
    (first.folder / "marker").write_text("kept")
    second = Archives(tmp_path).unpack(FileArchive(str(source)), "f")
    assert (second.folder / "marker").read_text() == "kept"
    assert [path.name for path in (tmp_path / "functions").iterdir()] == [first.folder.name]


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (AssetArchive({}), "the archive of f is empty"),
        (AssetArchive({"../evil.py": StringAsset("")}), "outside of itself: ../evil.py"),
        (AssetArchive({"/etc/evil": StringAsset("")}), "outside of itself"),
        (AssetArchive({"a.py": FileAsset("absent.py")}), "lacks a file"),
        (FileArchive("absent"), "neither a folder nor a zip file"),
        (None, "is NoneType; allowed: FileArchive, AssetArchive"),
    ],
)
def test_unusable_archives_are_refused(tmp_path: Path, archive: object, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        Archives(tmp_path).unpack(archive, "f")
