"""What ends a command with one clear line: the same for all of them."""

from __future__ import annotations

from cli.errors import CommandError

__all__ = ["CommandError"]
