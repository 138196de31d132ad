"""The functions' archive: allow-listed files of ``contract`` and ``handlers``, the same bytes from every checkout.

Code for tests and examples is left out: the ports' memory adapters, and samples that the stack doesn't configure.

An ``AssetArchive`` of single files rather than our own zip: Pulumi hashes it by names and contents,
without times, and there is no build folder to keep clean (decision record 0010).
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

from infra import bytecode
from infra.configuration.stack_config import StackConfig
from infra.definitions.sources import code_of, tree_of

#: The names shared with the infrastructure, and all Lambda code.
PACKAGES = ("contract", "handlers")
ALLOWED = ("*.py", "*.asl.json")
#: The in-memory adapters, one next to each port: for tests of applications, not for functions.
MEMORY_ADAPTER = "memory.py"
#: The console's files; packed if the API serves the console.
CONSOLE = "handlers/api/console/static"
CONSOLE_FILES = ("*.css", "*.html", "*.js", "*.json", "*.svg", "*.txt")
DOMAIN = "handlers.domain"
#: Modules of ``handlers/domain`` that come with this repository.
SAMPLES = frozenset({"airports", "approval", "failing", "orders", "three_steps", "transfer"})


class PackagingError(Exception):
    """The code can't be packaged; one line says which module and why."""


def archive_members(root: Path, folders: Sequence[str] = ()) -> dict[str, Path]:
    """Path in the archive to file, sorted. ``root`` contains the packages and ``folders``, the application's packages,
    each named by the last part of its path.

    Raises:
        PackagingError: naming the package that is missing or whose name is taken.
    """
    packages = {package: root / package for package in PACKAGES}
    for folder in folders:
        name = folder.rpartition("/")[2]
        if name in packages or name in sys.stdlib_module_names:
            raise PackagingError(f"cqrs:applicationPackages: {folder}: there is already another package {name!r}")
        if not (root / folder).is_dir():
            raise PackagingError(f"cqrs:applicationPackages: {folder}: there is no such folder")
        packages[name] = root / folder
    return dict(sorted(item for package, path in packages.items() for item in _members_of(package, path).items()))


def _members_of(package: str, folder: Path) -> dict[str, Path]:
    found = (path for pattern in ALLOWED for path in folder.rglob(pattern))
    members = {f"{package}/{path.relative_to(folder).as_posix()}": path for path in found}
    members = {name: path for name, path in members.items() if not _is_left_over(name) and path.name != MEMORY_ADAPTER}
    if not members:
        raise PackagingError(f"no {package} package in {folder.parent}")
    return members


def without_unused_samples(members: Mapping[str, Path], modules: Sequence[str]) -> dict[str, Path]:
    """The members without unused samples and their definitions: those that neither ``modules`` names nor a remaining
    module imports.
    """
    by_module = {name.removesuffix(".py").replace("/", "."): path for name, path in members.items()}
    samples = {f"{DOMAIN}.{name}" for name in SAMPLES}
    kept = set(modules) & samples
    unread = [module for module in by_module if module.startswith(f"{DOMAIN}.") and module not in samples - kept]
    while unread:
        new = (_imported_by(by_module[unread.pop()]) & samples & by_module.keys()) - kept
        kept |= new
        unread += new
    left_out = {module.replace(".", "/") for module in samples - kept}
    return {name: path for name, path in members.items() if name.partition(".")[0] not in left_out}


def _imported_by(path: Path) -> set[str]:
    """Modules that a source may import. Empty if it doesn't compile, which ``check_modules`` refuses."""
    try:
        tree = tree_of(path)
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(part for part in (DOMAIN if node.level else "", node.module or "") if part)
            found.update((module, *(f"{module}.{one.name}" for one in node.names)))
    return found


def _is_left_over(name: str) -> bool:
    """Whether it is a cache, or a hidden file of an editor or operating system (``.#keys.py``, ``._keys.py``)."""
    return any(part == "__pycache__" or part.startswith(".") for part in name.split("/"))


def content_hash(members: Mapping[str, Path]) -> str:
    """A fingerprint of names and contents."""
    digest = hashlib.sha256()
    for name, path in members.items():
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def check_modules(archive: Mapping[str, Path], sources: Mapping[str, Path], modules: Sequence[str]) -> None:
    """Refuse handler modules that are missing, and modules that don't compile, without running any code.
    ``sources``: those of the archive and of installed packages.

    Raises:
        PackagingError: naming the module.
    """
    for module in modules:
        base = module.replace(".", "/")
        path = sources.get(f"{base}.py") or sources.get(f"{base}/__init__.py")
        if path is None:
            raise PackagingError(
                f"cqrs:handlerModules: module {module!r} does not exist; expected one in handlers/domain, "
                "cqrs:applicationPackages or a package of handlers/requirements.txt"
            )
        _compile(f"{base}.py", path)
    for name, path in archive.items():
        if name.endswith(".py"):
            _compile(name, path)


def functions_archive(members: Mapping[str, Path], config: StackConfig, root: Path) -> pulumi.AssetArchive:
    """The archive that a stack deploys: the members it uses, with bytecode if this Python has the functions' version.

    Raises:
        PackagingError: the folder for bytecode can't be written.
    """
    kept = without_unused_samples(members, config.handler_modules)
    if config.console_enabled:
        kept = {**kept, **console_members(root)}
    if bytecode.is_for(config.lambda_runtime):
        try:
            kept = bytecode.with_bytecode(kept, root / bytecode.FOLDER)
        except OSError as error:
            raise PackagingError(f"the functions' bytecode can't be written: {error}") from error
    return build_archive(kept)


def console_members(root: Path) -> dict[str, Path]:
    """Path in the archive to file, for the console."""
    found = (path for pattern in CONSOLE_FILES for path in (root / CONSOLE).rglob(pattern))
    members = {path.relative_to(root).as_posix(): path for path in found}
    return {name: path for name, path in members.items() if not _is_left_over(name)}


def build_archive(members: Mapping[str, Path]) -> pulumi.AssetArchive:
    """The members as a Pulumi archive."""
    return pulumi.AssetArchive({name: pulumi.FileAsset(str(path)) for name, path in members.items()})


def _compile(name: str, path: Path) -> None:
    try:
        code_of(name, path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        module = name.removesuffix(".py").replace("/", ".")
        raise PackagingError(f"module {module!r} has a syntax error{line}: {error}") from error
