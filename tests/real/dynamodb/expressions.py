"""Random expressions with their names and values: those of ``handlers/store``, others, and malformed ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.real.dynamodb.values import NUMBERS, SETS, VALUES

#: Paths as they are written in expressions; ``status`` is reserved, as are others.
STEPS = ("a", "b", "c", "m", "n", "status", "openShard", "dueAt", "pk", "sk", "ttl", "count")
BROKEN = (
    "",
    " ",
    "a =",
    "= :v0",
    "a = :v0 AND",
    "(a = :v0",
    "a = :v0)",
    "((a = :v0))",
    "unknown(a)",
    "a == :v0",
    "a = 1",
    "size(a)",
    "attribute_exists(:v0)",
    "attribute_exists(a, b)",
    "NOT",
    "a IN ()",
    "a BETWEEN :v0",
    "#absent = :v0",
    "a = :absent",
    "a[ = :v0",
    "a..b = :v0",
    "SET a = :v0",
    "a = :v0 OR OR b = :v0",
    "begins_with(a)",
    "contains(a)",
    "attribute_type(a, :v0)",
    "a = a",
    "a < a",
    ":v0 = :v0",
    ":v0 = a",
    "a <> :v0",
    "NOT NOT a = :v0",
    "(NOT (a = :v0))",
)
BROKEN_UPDATES = (
    "",
    " ",
    "SET",
    "SET a",
    "SET a =",
    "a = :v0",
    "SET a = :v0,",
    "SET a = :v0 SET b = :v0",
    "ADD a = :v0",
    "REMOVE",
    "REMOVE a,",
    "SET a = :absent",
    "SET #absent = :v0",
    "SET a = :v0 REMOVE a",
    "SET m.a = :v0, m = :v0",
    "SET a = :v0, a = :v0",
    "SET a = a + :v0 + :v0",
    "DELETE a",
    "SET pk = :v0",
    "REMOVE sk",
    "ADD pk :v0",
    "SET a = if_not_exists(a)",
    "SET a = if_not_exists(:v0, :v0)",
    "SET a = list_append(a)",
    "UPDATE a = :v0",
    "SET a = unknown(a)",
    "SET a[0] = :v0, a[1] = :v0",
    "SET a = b",
    "SET a = b.c",
    "REMOVE a[0], a[1]",
    "set a = :v0",
    "SET status = :v0",
    "REMOVE m.a, m.b",
    "SET a = (:v0)",
    "SET a = size(a)",
    "ADD m.a :v0",
)


class Placeholders:
    """Names and values of one request, handed out as it goes."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def path(self) -> str:
        """One to three steps, most behind placeholders."""
        draw = self._draw
        text = ""
        for number in range(draw(st.sampled_from((1, 1, 1, 1, 2, 2, 3)))):
            name = draw(st.sampled_from(STEPS if number == 0 else ("a", "b", "x.y", "ü", "status")))
            plain = name.isascii() and name.isalnum() and draw(st.integers(0, 9)) == 0
            text += ("." if number else "") + (name if plain else self.name(name))
            if draw(st.integers(0, 15)) == 0:
                text += f"[{draw(st.integers(0, 2))}]"
        return text

    def name(self, name: str) -> str:
        """A placeholder of a name."""
        placeholder = f"#n{STEPS.index(name) if name in STEPS else 20 + ord(name[0]) % 50}"
        self.names[placeholder] = name
        return placeholder

    def value(self, kind: st.SearchStrategy[Any] = VALUES) -> str:
        """A placeholder of a new value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = self._draw(kind)
        return placeholder

    def arguments(self, texts: dict[str, str]) -> dict[str, Any]:
        """The request's part; sometimes with a name or value that is not used, or without one that is."""
        draw = self._draw
        found: dict[str, Any] = dict(texts)
        names, values = dict(self.names), dict(self.values)
        match draw(st.integers(0, 60)):
            case 0:
                names["#unused"] = "a"
            case 1:
                values[":unused"] = {"S": "x"}
            case 2 if names:
                names.pop(draw(st.sampled_from(sorted(names))))
            case 3 if values:
                values.pop(draw(st.sampled_from(sorted(values))))
            case 4:
                names["bad"] = "a"
            case 5:
                values["bad"] = {"S": "x"}
            case 6 if not names:
                return found | {"ExpressionAttributeNames": {}}
            case 7 if not values:
                return found | {"ExpressionAttributeValues": {}}
            case 8:
                names["#empty"] = ""
        if names:
            found["ExpressionAttributeNames"] = names
        if values:
            found["ExpressionAttributeValues"] = values
        return found


def condition(draw: st.DrawFn, given: Placeholders, depth: int = 2) -> str:
    """The text of a condition or filter."""
    if depth and draw(st.integers(0, 2)) == 0:
        left = condition(draw, given, depth - 1)
        match draw(st.integers(0, 3)):
            case 0:
                return f"(NOT {left})"
            case 1:
                return f"({left} OR {condition(draw, given, depth - 1)})"
            case 2:
                return f"{left} AND {condition(draw, given, depth - 1)}"
        return f"({left} AND {condition(draw, given, depth - 1)})"
    path = given.path()
    match draw(st.integers(0, 13)):
        case 0 | 1:
            return f"attribute_exists({path})"
        case 2 | 3:
            return f"attribute_not_exists({path})"
        case 4 | 5 | 6 | 7:
            operator = draw(st.sampled_from(("=", "=", "<>", "<", "<=", ">", ">=")))
            return f"{path} {operator} {given.value()}"
        case 8:
            return f"{path} IN ({', '.join(given.value() for _ in range(draw(st.integers(1, 3))))})"
        case 9:
            return f"{path} BETWEEN {given.value()} AND {given.value()}"
        case 10:
            return f"begins_with({path}, {given.value()})"
        case 11:
            return f"contains({path}, {given.value()})"
        case 12:
            kinds = st.sampled_from(("S", "N", "M", "L", "SS", "NULL", "BOOL", "B", "X")).map(lambda one: {"S": one})
            return f"attribute_type({path}, {given.value(kinds)})"
    return f"size({path}) {draw(st.sampled_from(('=', '<', '>=')))} {given.value(NUMBERS.map(lambda one: {'N': one}))}"


def broken(draw: st.DrawFn, given: Placeholders, texts: tuple[str, ...]) -> str:
    """One of the malformed ones, with the value that it names."""
    text = draw(st.sampled_from(texts))
    if ":v0" in text and not given.values:
        given.value()
    return text


def update(draw: st.DrawFn, given: Placeholders) -> str:
    """The text of an update."""
    if draw(st.integers(0, 11)) == 0:
        return broken(draw, given, BROKEN_UPDATES)
    clauses: list[str] = []
    for kind in draw(st.lists(st.sampled_from(("SET", "SET", "ADD", "REMOVE", "DELETE")), min_size=1, max_size=3)):
        if any(one.startswith(kind) for one in clauses):
            continue
        actions = [_action(draw, given, kind) for _ in range(draw(st.integers(1, 3)))]
        clauses.append(f"{kind} {', '.join(actions)}")
    return " ".join(clauses)


def _action(draw: st.DrawFn, given: Placeholders, kind: str) -> str:
    path = given.path()
    if kind == "REMOVE":
        return path
    if kind == "DELETE":
        return f"{path} {given.value(st.one_of(SETS, VALUES))}"
    if kind == "ADD":
        return f"{path} {given.value(st.one_of(NUMBERS.map(lambda one: {'N': one}), SETS, VALUES))}"
    match draw(st.integers(0, 9)):
        case 0 | 1:
            return f"{path} = if_not_exists({given.path() if draw(st.booleans()) else path}, {given.value()})"
        case 2:
            sign = draw(st.sampled_from("+-"))
            return f"{path} = {path} {sign} {given.value(NUMBERS.map(lambda one: {'N': one}))}"
        case 3:
            return f"{path} = list_append({path}, {given.value()})"
        case 4:
            return f"{path} = {given.path()}"
        case 5:
            zero = given.value(st.just({"N": "0"}))
            return f"{path} = if_not_exists({path}, {zero}) + {given.value(NUMBERS.map(lambda one: {'N': one}))}"
    return f"{path} = {given.value()}"
