"""Imports code from an unpacked archive without letting it meet other code of the same name.

Several archives (and the repository itself, in tests) all have a package called ``handlers``. Each archive
gets a module table of its own: while one of its modules is imported, and while ``isolated()`` is entered,
``sys.modules`` shows that table for the archive's top-level names; afterwards the process's own modules are
back. An ``import`` statement inside a function body that runs later is answered from the archive's table as
well. ``importlib.import_module`` is isolated only inside ``isolated()``.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

#: ``sys.modules`` is one for all threads, so only one of them may show another table in it.
_swap_lock = threading.RLock()


class ArchiveModules:
    """The modules of one unpacked archive."""

    def __init__(self, archive_dir: Path) -> None:
        self.archive_dir = archive_dir
        self._modules: dict[str, ModuleType] = {}
        self._names = frozenset(_top_level_names(archive_dir))
        self._finder = _ArchiveFinder(self)
        self._depth = 0
        self.builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        """Import ``name`` (dotted) from the archive; the same module on every call.

        Raises:
            ModuleNotFoundError: the archive has no such module.
            Exception: whatever the module's own code raises.
        """
        if name.partition(".")[0] not in self._names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        with self.isolated():
            return importlib.import_module(name)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Inside, imports of the archive's top-level names mean the archive."""
        with _swap_lock:
            if self._depth:
                yield
                return
            hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if self.owns(name)}
            sys.modules.update(self._modules)
            sys.meta_path.insert(0, self._finder)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                sys.meta_path.remove(self._finder)
                self._modules = {name: sys.modules.pop(name) for name in list(sys.modules) if self.owns(name)}
                sys.modules.update(hidden)

    def owns(self, name: str) -> bool:
        """Whether a module of this name is the archive's."""
        return name.partition(".")[0] in self._names

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``__import__`` for the archive's code."""
        if level == 0 and not self.owns(name):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        with self.isolated():
            return builtins.__import__(name, globals, locals, fromlist or (), level)


class _ArchiveFinder(MetaPathFinder):
    """Finds the archive's modules in the archive's directory only."""

    def __init__(self, modules: ArchiveModules) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not self._modules.owns(fullname):
            return None
        found = PathFinder.find_spec(fullname, path or [str(self._modules.archive_dir)])
        if found is None or not isinstance(found.loader, SourceFileLoader) or found.origin is None:
            return found
        return spec_from_file_location(
            fullname,
            found.origin,
            loader=_ArchiveLoader(fullname, found.origin, self._modules),
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
        return self.source_to_code(self.get_data(path), path)


def _top_level_names(directory: Path) -> Iterator[str]:
    for entry in directory.iterdir():
        if entry.is_dir() and any(entry.rglob("*.py")):
            yield entry.name
        elif entry.suffix == ".py":
            yield entry.stem
