"""Modules as syntax trees and as code. Results are cached by source, since the program may be evaluated often."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from types import CodeType

#: Size of the caches: more than the archive has modules.
REMEMBERED = 1_024


def tree_of(path: Path) -> ast.Module:
    """The source's syntax tree, which is shared and must not be modified.

    Raises:
        SyntaxError, ValueError: it isn't valid Python.
    """
    return _parsed(path.read_bytes())


@lru_cache(REMEMBERED)
def code_of(name: str, source: bytes) -> CodeType:
    """The source's code object. ``name``: the file name in error messages.

    Raises:
        SyntaxError, ValueError: it doesn't compile.
    """
    code: CodeType = compile(source, name, "exec", dont_inherit=True)
    return code


@lru_cache(REMEMBERED)
def _parsed(source: bytes) -> ast.Module:
    return ast.parse(source)
