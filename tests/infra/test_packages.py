"""APP-01, before anything is declared: what handlers/requirements.txt may say, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.configuration.stack_config import StackConfig
from infra.packages.layer import MOST_UNPACKED, MOST_ZIPPED, application_packages, check_sizes
from infra.packages.requirements import FILE, parse
from infra.packages.targets import of_functions, of_this_machine
from infra.packages.wheels import installed
from infra.packaging import PackagingError, archive_members
from local.runtime import PROJECT_DIR
from tests.support.wheels import ARM64, only, wheel

FUNCTIONS = of_functions("python3.13", "arm64")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    for name, value in only(folder).items():
        monkeypatch.setenv(name, value)
    scripts = {"greeting-1.0.data/scripts/greet": "#!python", "greeting-1.0.data/purelib/greeting/extra.py": ""}
    wheel(folder, "greeting", "1.0", {"greeting/__init__.py": "HELLO = 1\n", **scripts})
    wheel(folder, "fast", "2.0", {"fast/__init__.py": "", "fast/_c.so": b"\x7fELF"}, tag=ARM64)
    wheel(folder, "needy", "1.0", {"needy.py": ""}, needs=["greeting"])
    return folder


def test_app_01_packages_for_functions_are_the_same_wherever_they_are_installed(wheels: Path, tmp_path: Path) -> None:
    pins = parse("greeting==1.0\nfast==2.0\n")
    one, other = (installed(pins, FUNCTIONS, tmp_path / name) for name in ("one", "other"))
    files = [
        {path.relative_to(packages.folder): path.read_bytes() for path in packages.folder.rglob("*") if path.is_file()}
        for packages in (one, other)
    ]
    assert files[0] == files[1]
    assert {"greeting/extra.py", "fast/_c.so"} <= {path.as_posix() for path in files[0]}
    assert not [path for path in files[0] if path.name == "greet"], "a script has the path of its Python in it"
    assert one.names == {"greeting", "fast"}
    assert (
        (one.unpacked, one.zipped) == (other.unpacked, other.zipped) == (sum(map(len, files[0].values())), one.zipped)
    )
    for path in wheels.iterdir():
        path.unlink()
    assert installed(pins, FUNCTIONS, tmp_path / "one") == one, "kept by content"
    with pytest.raises(PackagingError):
        installed(parse("greeting==1.0\n"), FUNCTIONS, tmp_path / "one")


def test_app_01_what_has_no_wheel_is_named(wheels: Path, tmp_path: Path) -> None:
    for target in (of_functions("python3.13", "x86_64"), of_functions("python3.12", "arm64"), of_this_machine()):
        with pytest.raises(PackagingError, match=rf"no wheel of fast==2\.0 for {target.name}; packages are not"):
            installed(parse("greeting==1.0\nfast==2.0\n"), target, tmp_path)
    assert list(tmp_path.glob("partial-*")) == []


def test_app_01_what_is_needed_besides_has_to_be_listed(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"need others; add greeting==1\.0$"):
        installed(parse("needy==1.0"), FUNCTIONS, tmp_path)
    assert installed(parse("needy==1.0\nGreeting==1.0"), FUNCTIONS, tmp_path).names == {"needy", "greeting"}


@pytest.mark.parametrize(
    "line", ["greeting", "greeting>=1.0", "-r other.txt", "git+https://x/y", "./greeting", "a==1.*"]
)
def test_app_01_a_line_that_pins_nothing_is_refused(line: str) -> None:
    with pytest.raises(PackagingError, match=r"line 2: .* is not allowed; expected a version: name==1\.2\.3"):
        parse(f"fast==2.0  # why\n{line}\n")
    with pytest.raises(PackagingError, match="line 2: Fast_Thing is listed twice"):
        parse("fast-thing==1\nFast_Thing==2")


@pytest.mark.parametrize(
    ("marker", "arm64_313", "x86_64_311"),
    [
        ('sys_platform == "linux" and os_name == "posix"', True, True),
        ('sys_platform == "win32" or platform_system == "Darwin"', False, False),
        ('sys_platform == "darwin"', False, False),
        ('platform_machine == "aarch64"', True, False),
        ('platform_machine == "x86_64"', False, True),
        ('python_version < "3.12"', False, True),
        ('python_full_version >= "3.13.2"', True, False),
        ('implementation_name == "cpython" and platform_python_implementation != "PyPy"', True, True),
        ('extra == "fast"', False, False),
    ],
)
def test_app_01_markers_are_judged_for_the_functions(marker: str, arm64_313: bool, x86_64_311: bool) -> None:
    pins = parse(f"greeting==1.0 ; {marker}")
    assert [bool(one.of(pins)) for one in (FUNCTIONS, of_functions("python3.11", "x86_64"))] == [arm64_313, x86_64_311]


def test_app_01_lines_of_other_environments_are_left_alone(wheels: Path, tmp_path: Path) -> None:
    """Also those of packages, and of their extras; pip would judge them by the machine that deploys."""
    wheel(wheels, "winner", "1.0", {"winner.py": ""})
    own = ['winner; sys_platform == "win32"', 'fast>=1; platform_machine == "aarch64"', 'rare>=1; extra == "rare"']
    wheel(wheels, "picky", "1.0", {"picky.py": ""}, needs=own)
    wheel(wheels, "rare", "1.0", {"rare.py": ""})
    wheel(wheels, "rare", "2.0", {"rare.py": ""})
    two = 'winner==3.0; sys_platform == "darwin"\nwinner==1.0; sys_platform == "linux"'
    assert [pin.wanted for pin in FUNCTIONS.of(parse(two))] == ["winner==1.0"]
    with pytest.raises(PackagingError, match=r"winner is listed twice for python3\.13 on arm64"):
        FUNCTIONS.of(parse(two.replace("darwin", "linux")))
    with pytest.raises(PackagingError, match=r"need others; add fast==2\.0, rare==2\.0$"):
        installed(parse("picky[rare]==1.0"), FUNCTIONS, tmp_path)
    found = installed(parse(f"picky==1.0\nfast==2.0\n{two}"), FUNCTIONS, tmp_path)
    assert found.names == {"picky", "fast", "winner"}
    wheel(wheels, "stale", "1.0", {"stale.py": ""}, needs=["rare<2", "winner"])
    with pytest.raises(PackagingError, match=r"stale==1\.0 needs rare<2, not ==2\.0"):
        installed(parse("stale==1.0\nrare==2.0\nwinner==1.0"), FUNCTIONS, tmp_path)
    (tmp_path / "handlers").mkdir()
    (tmp_path / FILE).write_text('winner==1.0; sys_platform == "win32"\n')
    assert application_packages(tmp_path, StackConfig(), {}) is None


def test_app_01_a_marker_that_is_none_is_refused() -> None:
    with pytest.raises(PackagingError, match=r"line 1: the marker 'platform = \"linux\"' is not allowed: "):
        parse('greeting==1.0; platform = "linux"')


def test_app_01_sizes_are_checked_first(wheels: Path, tmp_path: Path) -> None:
    check_sizes(MOST_UNPACKED, MOST_ZIPPED)
    with pytest.raises(
        PackagingError, match=r"250\.1 MB unpacked, with the functions' own code; allowed are 250\.0 MB"
    ):
        check_sizes(MOST_UNPACKED + 100_000, 0)
    with pytest.raises(PackagingError, match=r"50\.1 MB as a zip file; allowed are 50\.0 MB"):
        check_sizes(0, MOST_ZIPPED + 100_000)
    (tmp_path / "handlers").mkdir()
    (tmp_path / FILE).write_text("greeting==1.0\n")
    big = tmp_path / "big.py"
    with big.open("wb") as file:
        file.truncate(MOST_UNPACKED)
    with pytest.raises(PackagingError, match=r"250\.0 MB unpacked"):
        application_packages(tmp_path, StackConfig(), {"big.py": big})


def test_app_01_nothing_is_installed_by_default(tmp_path: Path) -> None:
    assert application_packages(PROJECT_DIR, StackConfig(), {}) is None
    assert application_packages(tmp_path, StackConfig(), {}) is None


def test_app_01_folders_of_the_application(tmp_path: Path) -> None:
    for name in ("contract", "handlers", "src/acme"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
    assert "acme/__init__.py" in archive_members(tmp_path, ["src/acme"])
    for folder, problem in (
        ("other", "there is no such folder"),
        ("src/json", "there is already another package 'json'"),
        ("src/handlers", "there is already another package 'handlers'"),
    ):
        with pytest.raises(PackagingError, match=f"cqrs:applicationPackages: {folder}: .*{problem}"):
            archive_members(tmp_path, [folder])
