"""Rules: a name, a description and a pure function.

Types and inputs are as in the Pulumi engine (``aws:sqs/queue:Queue``, camelCase), so that the same functions serve
the tests under mocks and a policy pack in a preview.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Props = Mapping[str, Any]


@dataclass(frozen=True)
class Declared:
    """One resource of a stack: its type, logical name and inputs."""

    type: str
    name: str
    props: Props


@dataclass(frozen=True)
class ResourceRule:
    """A rule on a single resource. ``check`` yields the problems in the inputs of a resource of ``types``."""

    name: str
    asks: str
    types: tuple[str, ...]
    check: Callable[[Props], Iterator[str]]

    def find(self, resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
        """The resources that break the rule, and how."""
        for one in resources:
            if one.type in self.types:
                for problem in self.check(one.props):
                    yield one, problem


@dataclass(frozen=True)
class StackRule:
    """A rule on several resources. ``find`` yields the resources that break it, and how."""

    name: str
    asks: str
    find: Callable[[Sequence[Declared]], Iterator[tuple[Declared, str]]]


Rule = ResourceRule | StackRule


@dataclass(frozen=True)
class Violation:
    """A rule that a resource breaks."""

    rule: str
    resource: str
    problem: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.resource}: {self.problem}"


def violations(resources: Sequence[Declared], rules: Iterable[Rule]) -> list[Violation]:
    """All violations, in the order of the rules."""
    return [
        Violation(rule.name, f"{one.type} {one.name}", problem)
        for rule in rules
        for one, problem in rule.find(resources)
    ]


def of_type(resources: Sequence[Declared], type_: str) -> list[Declared]:
    """The resources of one type."""
    return [one for one in resources if one.type == type_]


def parsed(text: Any) -> dict[str, Any]:
    """A JSON object that the program gave as text; empty if it gave none."""
    if not isinstance(text, str) or not text:
        return {}
    value = json.loads(text)
    return value if isinstance(value, dict) else {}


def tls_only(props: Props) -> bool:
    """Whether a resource's own policy denies requests without TLS."""
    return any(
        statement.get("Effect") == "Deny"
        and (statement.get("Condition") or {}).get("Bool", {}).get("aws:SecureTransport") == "false"
        for statement in as_list(parsed(props.get("policy")).get("Statement"))
    )


def last_part(arn: Any) -> str:
    """The name at the end of an ARN; a name stays as it is."""
    return str(arn).rpartition(":")[2]


def as_list(value: Any) -> list[Any]:
    """A value of a policy as a list: IAM accepts one value or a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
