"""Faults at AWS calls that a test switches on and off."""

from __future__ import annotations

from collections.abc import Callable

from local.aws.model import AwsCall
from local.functions.model import SimulatedCrash


class CrashWhere:
    """The calling function dies before each call that ``where`` names; nothing happens while it is None."""

    def __init__(self) -> None:
        self.where: Callable[[AwsCall], bool] | None = None
        self.crashes = 0

    def before(self, call: AwsCall) -> str | None:
        if self.where is not None and call.caller is not None and self.where(call):
            self.crashes += 1
            raise SimulatedCrash
        return None

    def after(self, call: AwsCall) -> None:
        return None
