"""Modules as trees and as code, each text worked out once however many ask: the program may be evaluated often."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from types import CodeType

#: Texts that are remembered: more than the archive has modules.
REMEMBERED = 1_024


def tree_of(path: Path) -> ast.Module:
    """The source as a tree, which is shared: look at it, change nothing.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    return _parsed(path.read_bytes())


@lru_cache(REMEMBERED)
def code_of(name: str, source: bytes) -> CodeType:
    """The source's code, ``name`` being what errors call it.

    Raises:
        SyntaxError, ValueError: it does not compile.
    """
    code: CodeType = compile(source, name, "exec", dont_inherit=True)
    return code


@lru_cache(REMEMBERED)
def _parsed(source: bytes) -> ast.Module:
    return ast.parse(source)
