"""The scope of a state's paths, templates and functions: input, context object and random source."""

from __future__ import annotations

import random as random_module
from collections.abc import Callable, Mapping
from typing import Any

from local.states.data.paths import Path


class Scope:
    """The data of one evaluation. The context object is only built if a path needs it."""

    __slots__ = ("_build", "_context", "input", "random")

    def __init__(
        self, input_: Any, build_context: Callable[[], Mapping[str, Any]], random: random_module.Random
    ) -> None:
        self.input = input_
        self.random = random
        self._build = build_context
        self._context: Mapping[str, Any] | None = None

    def root(self, path: Path) -> Any:
        """The data that ``path`` starts from."""
        if not path.context:
            return self.input
        if self._context is None:
            self._context = self._build()
        return self._context

    def find(self, path: Path) -> Any:
        """The value at ``path``. Raises ``PathNotFound``."""
        return path.find(self.root(path))

    def with_input(self, input_: Any) -> Scope:
        """A scope with the same context and another input."""
        return Scope(input_, self._build, self.random)
