"""Builds the expression arguments of DynamoDB calls from conditions and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.store.conditions import Condition, Path, compile_condition
from handlers.store.values import to_dynamo

if TYPE_CHECKING:
    from handlers.store.port import Change


class Expressions:
    """Collects placeholders for one call: every name is escaped, every value bound."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: list[Any] = []
        self._arguments: dict[str, Any] = {}

    def condition(self, condition: Condition | None) -> Expressions:
        """Add a ConditionExpression."""
        if condition is not None:
            self._arguments["ConditionExpression"] = compile_condition(condition, self._name, self._value)
        return self

    def filter(self, condition: Condition | None) -> Expressions:
        """Add a FilterExpression."""
        if condition is not None:
            self._arguments["FilterExpression"] = compile_condition(condition, self._name, self._value)
        return self

    def change(self, change: Change) -> Expressions:
        """Add an UpdateExpression."""
        sets = [f"{self._name(path)} = {self._value(value)}" for path, value in change.set.items()]
        for path, value in change.set_once.items():
            name = self._name(path)
            sets.append(f"{name} = if_not_exists({name}, {self._value(value)})")
        clauses = [f"SET {', '.join(sets)}"] if sets else []
        if change.add:
            clauses.append("ADD " + ", ".join(f"{self._name(p)} {self._value(v)}" for p, v in change.add.items()))
        if change.remove:
            clauses.append("REMOVE " + ", ".join(self._name(path) for path in change.remove))
        if not clauses:
            raise ValueError("an update must change something")
        self._arguments["UpdateExpression"] = " ".join(clauses)
        return self

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the boto3 call."""
        arguments = dict(self._arguments)
        if self._names:
            arguments["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in self._names.items()}
        if self._values:
            arguments["ExpressionAttributeValues"] = {f":v{i}": to_dynamo(v) for i, v in enumerate(self._values)}
        return arguments

    def _name(self, path: Path) -> str:
        steps = (path,) if isinstance(path, str) else path
        return ".".join(self._names.setdefault(step, f"#n{len(self._names)}") for step in steps)

    def _value(self, value: Any) -> str:
        self._values.append(value)
        return f":v{len(self._values) - 1}"
