"""What ``./cqrs test`` gives to the checks that it starts."""

from __future__ import annotations

from cli.develop.test import environment


def test_bytecode_is_kept_whatever_the_shell_says() -> None:
    given = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    assert environment(given) == {"PATH": "/bin", "PULUMI_ERROR_OUTPUT_STRING": "true"}
    assert "PYTHONDONTWRITEBYTECODE" in given
