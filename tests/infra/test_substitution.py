"""INF-06: placeholders, two-way."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from infra.definitions.substitution import SubstitutionError, override, placeholders, substitute


def filled(document: Any, values: dict[str, str]) -> Any:
    """With values that are only known later, as ARNs are."""

    async def resolved() -> Any:
        later = {name: pulumi.Output.from_input(value) for name, value in values.items()}
        return await pulumi.Output.from_input(substitute(document, later)).future()

    return asyncio.run(resolved())


def test_inf_06_placeholders_at_any_depth() -> None:
    document = {"a": "${One}", "b": [{"c": "x ${Two} y ${One}"}], "d": 1, "e": None, "f": "$${Not} $.path $$.x"}
    assert placeholders(document) == {"One", "Two"}


def test_inf_06_values_replace_text_and_nothing_else() -> None:
    document = {"a": "${One}", "b": ["${One}/${Two}"], "n": 3, "null": None, "escaped": "$${One} of ${One}"}
    assert filled(document, {"One": 'quote " and \\', "Two": "later"}) == {
        "a": 'quote " and \\',
        "b": ['quote " and \\/later'],
        "n": 3,
        "null": None,
        "escaped": '${One} of quote " and \\',
    }


def test_inf_06_a_value_is_not_substituted_again() -> None:
    assert filled({"a": "${One}"}, {"One": "${Two}"}) == {"a": "${Two}"}


def test_inf_06_an_unknown_placeholder() -> None:
    with pytest.raises(SubstitutionError, match=r"placeholder \$\{Two\} has no value; known: One"):
        substitute({"a": "${One} ${Two}"}, {"One": "1"})
    with pytest.raises(SubstitutionError, match="known: none"):
        substitute({"a": "${Two}"}, {})


def test_inf_06_an_unused_value() -> None:
    with pytest.raises(SubstitutionError, match=r"value 'Two' has no placeholder \$\{Two\} in the definition"):
        substitute({"a": "${One}"}, {"One": "1", "Two": "2"})


def test_inf_06_an_escaped_placeholder_is_no_use_of_a_value() -> None:
    with pytest.raises(SubstitutionError, match="value 'One' has no placeholder"):
        substitute({"a": "$${One}"}, {"One": "1"})


def test_override_replaces_numbers_in_a_copy() -> None:
    document = {"States": {"a": {"TimeoutSeconds": 1}}, "TimeoutSeconds": 2}
    assert override(document, {"/TimeoutSeconds": 20, "/States/a/TimeoutSeconds": 10}) == {
        "States": {"a": {"TimeoutSeconds": 10}},
        "TimeoutSeconds": 20,
    }
    assert document["TimeoutSeconds"] == 2


@pytest.mark.parametrize("pointer", ["/Timeout", "/States/b/TimeoutSeconds", "/States", "/States/a", "/Comment", ""])
def test_override_refuses_what_is_no_number(pointer: str) -> None:
    document = {"States": {"a": {"TimeoutSeconds": 1}}, "Comment": "c"}
    with pytest.raises(SubstitutionError, match=f"{pointer} is not a number in the definition"):
        override(document, {pointer: 1})
