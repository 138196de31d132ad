"""Ends the program when it refuses its configuration."""

from __future__ import annotations

import pulumi

#: This exit code makes the Python language host add no message of its own. After ``pulumi.RunError`` it would add
#: "an unhandled error occurred: program exited with non-zero exit code: 1" (pulumi v3.274.1,
#: ``sdk/python/cmd/pulumi-language-python-exec``).
USER_WAS_TOLD = 32


class Refused(SystemExit):
    """Ends the program with ``text`` as the only message to the user."""

    def __init__(self, text: str) -> None:
        super().__init__(USER_WAS_TOLD)
        self.text = text

    def __str__(self) -> str:
        return self.text


def refusal(error: Exception) -> Refused:
    """Log the error for the user, and return the exception for the caller to raise."""
    pulumi.log.error(str(error))
    return Refused(str(error))
