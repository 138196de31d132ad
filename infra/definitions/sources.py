"""The source of modules as trees, each text read once however many ask: a program that is evaluated often is fast."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

#: Texts that are remembered: more than the archive has modules.
REMEMBERED = 1_024


def tree_of(path: Path) -> ast.Module:
    """The source as a tree, which is shared: look at it, change nothing.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    return _parsed(path.read_bytes())


def check_compiles(name: str, path: Path) -> None:
    """Compile a source, ``name`` being what errors call it, and throw the code away.

    Raises:
        SyntaxError, ValueError: it does not compile.
    """
    _compiled(name, path.read_bytes())


@lru_cache(REMEMBERED)
def _parsed(source: bytes) -> ast.Module:
    return ast.parse(source)


@lru_cache(REMEMBERED)
def _compiled(name: str, source: bytes) -> None:
    compile(source, name, "exec", dont_inherit=True)
