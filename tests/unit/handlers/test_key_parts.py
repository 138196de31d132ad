"""What callers may put into keys, and that keys which are stored already can be read."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.core.context import InvokeContext
from handlers.core.errors import ValidationError
from handlers.core.key_parts import check_new_part, check_part

COMPOSED = "caf\u00e9"
DECOMPOSED = "cafe\u0301"
OHM, OMEGA = "\u2126", "\u03a9"


@pytest.mark.parametrize(
    "wrong",
    [" a", "a ", "\ta", "a\n", "a\u3000", "\u00a0a", "\ufeffa", "a\u200b", DECOMPOSED, OHM, "\uac00\u11a8"],
)
@pytest.mark.parametrize("field", ["kind", "tenantCode", "type", "code"])
def test_edge_15_parts_that_look_like_others_are_refused(field: str, wrong: str) -> None:
    parts = {"kind": "K", "tenantCode": "t", "type": "T", "code": "c", field: wrong}
    with pytest.raises(ValidationError) as caught:
        EntityKey.of_caller(*parts.values())
    assert caught.value.field == field
    assert "strip()" in str(caught.value) or "unicodedata.normalize('NFC', text)" in str(caught.value)


@pytest.mark.parametrize(
    "right", ["a b", COMPOSED, OMEGA, "\uac01", "\u30ac", "e\u0302\u0323".join(["", "x"]), "a\u200db", "1"]
)
def test_edge_15_what_has_one_form_is_taken(right: str) -> None:
    composed = unicodedata.normalize("NFC", right)
    assert check_new_part("code", composed) == composed


def test_edge_15_the_message_shows_what_cannot_be_seen() -> None:
    with pytest.raises(ValidationError, match=r"cafe\\u0301' is not: unicodedata"):
        check_new_part("code", DECOMPOSED)


@given(st.text(min_size=1, max_size=8).filter(lambda text: "#" not in text and "@" not in text))
def test_edge_15_no_two_parts_have_the_same_canonical_form(text: str) -> None:
    forms = [unicodedata.normalize("NFD", text), unicodedata.normalize("NFC", text), text.strip(), text]
    taken = set()
    for form in forms:
        try:
            taken.add(check_new_part("code", form))
        except ValidationError:
            continue
    assert len({unicodedata.normalize("NFD", part).strip() for part in taken}) == len(taken)


def test_edge_15_case_distinguishes_types_and_codes() -> None:
    assert EntityKey.of_caller("K", "t", "BOOK", "a") != EntityKey.of_caller("K", "t", "book", "a")


def test_edge_15_publishing_is_held_to_it_and_stored_keys_are_read() -> None:
    with pytest.raises(ValidationError, match="code"):
        CommandInput("T", "a ", "x", {}).key(InvokeContext("u", "t"))
    assert EntityKey.parse("TENANT#t", "T#a ").code == "a "
    assert EntityKey.parse("TENANT#t", f"T#{DECOMPOSED}").code == DECOMPOSED


@pytest.mark.parametrize("character", ["\x00", "\t", "\n", "\x1b", "\x7f", "\x85", "\ufffe", "\uffff"])
def test_edge_50_control_characters_are_refused(character: str) -> None:
    """Behind a NUL a shell drops the rest: a pasted key would name another entity."""
    with pytest.raises(ValidationError, match="without control characters"):
        check_new_part("code", f"a{character}b")
    assert check_part("code", f"a{character}b") == f"a{character}b"  # rows that are there are read


def test_a_value_that_cannot_be_shown_is_reported_by_its_type() -> None:
    with pytest.raises(ValidationError, match="<int that can't be shown: ValueError>"):
        check_new_part("code", 10**5000)
