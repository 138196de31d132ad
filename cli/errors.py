"""The error that ends a command with one clear line."""

from __future__ import annotations


class CommandError(Exception):
    """The command can't continue; the text says why and what to do."""
