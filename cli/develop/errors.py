"""The error that ends a command with one clear line, under this package's name."""

from __future__ import annotations

from cli.errors import CommandError

__all__ = ["CommandError"]
