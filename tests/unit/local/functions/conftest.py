from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from local.functions.model import FunctionSpec

MakeFunction = Callable[..., FunctionSpec]


@pytest.fixture
def make_function(tmp_path: Path) -> MakeFunction:
    """Write ``handlers/entrypoints/f.py`` (and other files) into an archive directory; the function's specification."""

    def make(code: str, *, name: str = "f", files: dict[str, str] | None = None, **spec: Any) -> FunctionSpec:
        archive = tmp_path / f"archive-{name}"
        for path, text in {"handlers/entrypoints/f.py": code, **(files or {})}.items():
            (archive / path).parent.mkdir(parents=True, exist_ok=True)
            (archive / path).write_text(dedent(text))
        for package in ("handlers", "handlers/entrypoints"):
            (archive / package / "__init__.py").touch()
        return FunctionSpec(
            name=name,
            arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            handler="handlers.entrypoints.f.handler",
            archive_dir=archive,
            **spec,
        )

    return make
