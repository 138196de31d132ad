"""Imports code from an unpacked archive, isolated from other code with the same module names.

All archives (and the repository itself, in tests) have packages called ``handlers`` and ``contract``. Each archive is
mounted as a separate package: the module that its code calls ``handlers.core.keys`` is
``lambda_archive_3.handlers.core.keys`` to Python. So archives share no modules, ``sys.modules`` is never swapped under
other threads, and imports use Python's own locks, one per module, so that a thread that imports can't deadlock with
one that starts a function.

The archive's code doesn't see the mount: its modules run with an ``__import__`` that adds it, and with separate
versions of ``importlib.import_module`` and ``os.environ``.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from local.functions.environment import FunctionEnviron
from local.functions.packages import NOTHING_ELSE, Importable, off_path, on_path

#: Compiled modules that are cached for the next mount of the same folder.
MOST_COMPILED = 1000
_MOUNT = "lambda_archive_"
_PREFIX = re.compile(rf"\b{_MOUNT}\d+\.")
_numbers = itertools.count(1)
#: Mounted archives by the name of their mount.
_mounted: dict[str, ArchiveModules] = {}


class ArchiveModules:
    """The modules of one unpacked archive, until ``close``. ``others``: what else its code may import."""

    def __init__(self, archive_dir: Path, others: Importable = NOTHING_ELSE) -> None:
        self.archive_dir = archive_dir
        self._others = others
        self.mount = f"{_MOUNT}{next(_numbers)}"
        self._names = frozenset(_top_level_names(archive_dir)) | others.mounted
        self._replaced: dict[str, ModuleType] = {
            "importlib": _Overlay(importlib, import_module=self._import_module),
            "os": _Overlay(os, environ=(environ := FunctionEnviron()), getenv=environ.get),
        }
        self.builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import}
        package = ModuleType(self.mount)
        package.__path__ = [str(archive_dir), *([str(others.folder)] if others.mounted else [])]
        if others.folder is not None:
            on_path(others.folder)
        _mounted[self.mount] = self
        sys.modules[self.mount] = package

    def load(self, name: str) -> ModuleType:
        """Import ``name`` (dotted) from the archive; the same module on every call.

        Raises:
            ModuleNotFoundError: the archive has no such module.
            Exception: whatever the module's own code raises.
        """
        if not self.owns(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return self._mounted_module(name)

    def owns(self, name: str) -> bool:
        """Whether the archive has a module of this top-level name."""
        return name.partition(".")[0] in self._names

    def close(self) -> None:
        """Drop the modules. Their running code continues, but can't import anything else from the archive."""
        _mounted.pop(self.mount, None)
        if self._others.folder is not None:
            off_path(self._others.folder)
        for name in [one for one in list(sys.modules) if one.partition(".")[0] == self.mount]:
            del sys.modules[name]

    def _mounted_module(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.mount}.{name}")
        except ModuleNotFoundError as error:
            raise _unmounted(error) from error.__cause__

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """``importlib.import_module`` for the archive's code."""
        if not name.startswith(".") and self.owns(name):
            return self._mounted_module(name)
        if not name.startswith("."):
            self._check(name)
        return importlib.import_module(name, package)

    def _check(self, name: str) -> None:
        top = name.partition(".")[0]
        if top != self.mount and not self._others.allows(top):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``__import__`` for the archive's code."""
        owned = level == 0 and self.owns(name)
        if owned and self.mount not in _mounted:
            raise ModuleNotFoundError(f"No module named {name!r}: its archive was closed", name=name)
        if level == 0 and not owned:
            self._check(name)
        try:
            module = builtins.__import__(
                f"{self.mount}.{name}" if owned else name, globals, locals, fromlist or (), level
            )
        except ModuleNotFoundError as error:
            raise _unmounted(error) from error.__cause__
        if owned and not fromlist:  # ``import a.b`` binds a
            return sys.modules[f"{self.mount}.{name.partition('.')[0]}"]
        return self._replaced.get(module.__name__, module) if level == 0 else module


def unmounted(text: str) -> str:
    """A message or a line of a traceback with the module names of the archive's code."""
    return _PREFIX.sub("", text)


def _unmounted(error: ModuleNotFoundError) -> ModuleNotFoundError:
    return ModuleNotFoundError(unmounted(str(error)), name=unmounted(error.name or ""), path=error.path)


class _Overlay(ModuleType):
    """A module with some names replaced, for the archive's code only."""

    def __init__(self, module: ModuleType, **replaced: Any) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.update(replaced)
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)


class _ArchiveFinder(MetaPathFinder):
    """Finds the modules of mounted archives, in their own directories only."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        modules = _mounted.get(fullname.partition(".")[0])
        if modules is None:
            return None
        found = PathFinder.find_spec(fullname, path)
        if found is None or not isinstance(found.loader, SourceFileLoader) or found.origin is None:
            return found
        return spec_from_file_location(
            fullname,
            found.origin,
            loader=_ArchiveLoader(fullname, found.origin, modules),
            submodule_search_locations=found.submodule_search_locations,
        )


class _ArchiveLoader(SourceFileLoader):
    """Runs a module with the archive's own ``__import__``, always from its source text."""

    def __init__(self, fullname: str, path: str, modules: ArchiveModules) -> None:
        super().__init__(fullname, path)
        self._modules = modules

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._modules.builtins
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source; bytecode files are neither read nor written (the archive stays as packaged)."""
        path = self.get_filename(fullname)
        return _compiled(self.get_data(path), path)


@lru_cache(MOST_COMPILED)
def _compiled(source: bytes, path: str) -> CodeType:
    code: CodeType = compile(source, path, "exec", dont_inherit=True)
    return code


def _top_level_names(directory: Path) -> Iterator[str]:
    for entry in directory.iterdir():
        if entry.is_dir() and any(entry.rglob("*.py")):
            yield entry.name
        elif entry.suffix == ".py":
            yield entry.stem


sys.meta_path.insert(0, _ArchiveFinder())
