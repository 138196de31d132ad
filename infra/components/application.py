"""What ``infra/application.py`` is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from infra.configuration.application_keys import WrongEntry, parse_environment
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.naming.names import Account, Names


@dataclass(frozen=True)
class ApplicationArgs:
    """The stack that the resources belong to."""

    config: StackConfig
    names: Names
    account: Account


@dataclass(frozen=True)
class Application:
    """``outputs`` are exported beside the stack's own, ``environment`` and ``grants`` (ARN and actions) go to the
    functions that run the application's classes.

    Raises:
        ConfigError: a name of the environment is not allowed.
    """

    outputs: Mapping[str, pulumi.Input[object]] = field(default_factory=dict)
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    grants: Sequence[tuple[pulumi.Input[str], tuple[str, ...]]] = ()

    def __post_init__(self) -> None:
        try:
            parse_environment(dict.fromkeys(self.environment, ""))
        except WrongEntry as wrong:
            raise ConfigError([f"infra/application.py: environment: expected {wrong}"]) from None
