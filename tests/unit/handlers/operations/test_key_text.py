from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.commands.keys import EntityKey, VersionKey
from handlers.core.errors import ValidationError
from handlers.core.keys import row_id
from handlers.core.values.text import is_visible
from handlers.operations.advice import Advisor
from handlers.operations.key_text import parse_key, pasteable
from handlers.operations.situation import Chain
from tests.support.pipelines import KEY


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("TENANT#t1 ORDER#o1", None),
        ("  TENANT#t1   ORDER#o1  ", None),
        ("TENANT#t1#ORDER#o1", None),
        ("TENANT#t1 ORDER#o1@3", 3),
        ("TENANT#t1#ORDER#o1@3", 3),
        (row_id(KEY.pk, KEY.version_sk(12)), 12),
        (f"{KEY.pk} {KEY.version_sk(9_999_999_999)}", 9_999_999_999),
    ],
)
def test_the_forms_that_people_have(text: str, version: int | None) -> None:
    assert parse_key(text) == (KEY, version)


def test_parts_with_blanks() -> None:
    assert parse_key("TENANT#my shop ORDER#no 7@2") == (EntityKey("TENANT", "my shop", "ORDER", "no 7"), 2)
    assert parse_key("TENANT#my shop#ORDER#no 7") == (EntityKey("TENANT", "my shop", "ORDER", "no 7"), None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o1",
        "TENANT#t1",
        "ORDER#o1",
        "TENANT#t1 ORDER",
        "TENANT#t1ORDER#o1",
        "TENANT#t1#ORDER#o1#x",
        "TENANT#t1 ORDER#o1@",
        "TENANT#t1 ORDER#o1@0",
        "TENANT#t1 ORDER#o1@x",
        "TENANT#t1 ORDER#o1@1@2",
        "TENANT#t1 ORDER#o1@-1",
        "TENANT# ORDER#o1",
        "TENANT#t1 REQ#r1",
        "TENANT#t1 ORDER#o1@00000000001",
    ],
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not allowed; expected"):
        parse_key(text)


#: Whatever a stored key can hold, but for NUL, which no shell can hand to a command.
PART = st.text(st.characters(codec="utf-8", exclude_characters="#@\0"), min_size=1, max_size=12).filter(
    lambda part: part != "REQ"
)
KEYS = st.builds(EntityKey, st.just("TENANT") | PART, PART, PART, PART)
VERSIONS = st.none() | st.integers(min_value=1, max_value=9_999_999_999)
AWKWARD = (
    EntityKey("TENANT", "my shop", "ORDER", "no 7"),
    EntityKey("TENANT", "t1", "SALES ORDER", "o1"),
    EntityKey("TENANT", "t1", "ORDER", " o1 "),
    EntityKey("TENANT", "t1 ", " ORDER", "商品\u3000"),
    EntityKey("TENANT", "O'Brien & Sons", "ORDER", '"$(rm -rf ~)"'),
    EntityKey("TENANT", "t1", "ORDER", "*?[a-z]~!;|<>\\"),
    EntityKey("TENANT", "t1", "ORDER", "a\x1b[2J\r\n\u202eb'\\"),
    EntityKey("TENANT", "t1", "ORDER", "é\U000e0041-1"),
    # Digits behind what is escaped, which some shells would take for a part of it.
    EntityKey("TENANT", "t1", "ORDER", "a\x1bcafe\x1b7\x0117\u202eff\x9f0"),
)


def printed(key: EntityKey, version: int | None) -> list[str]:
    """All forms in which the key is shown."""
    if version is None:
        return [str(key), row_id(key.pk, key.sk)]
    one = VersionKey(key, version)
    return [str(one), row_id(one.pk, one.sk)]


@given(KEYS, VERSIONS)
def test_edge_50_any_key_printed_parses_back(key: EntityKey, version: int | None) -> None:
    for text in printed(key, version):
        assert parse_key(text) == (key, version)


@given(KEYS, VERSIONS)
def test_edge_50_any_key_printed_by_a_command_can_be_pasted(key: EntityKey, version: int | None) -> None:
    for text in printed(key, version):
        word = pasteable(text)
        assert is_visible(word)
        if not word.startswith("$"):  # which this library doesn't know; shells are asked below
            assert parse_key(" ".join(shlex.split(word))) == (key, version)


@given(KEYS, KEYS)
@example(EntityKey("TENANT", "t1 SALES", "ORDER", "o1"), EntityKey("TENANT", "t1", "SALES ORDER", "o1"))
def test_edge_50_no_two_entities_are_printed_alike(one: EntityKey, other: EntityKey) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize("shell", ["bash", "zsh", "ksh", "sh", "dash"])
def test_edge_50_a_shell_hands_over_what_was_printed(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    reads_dollar_quotes = shell in ("bash", "zsh", "ksh")
    words = {
        pasteable(text): (key, version) for key in AWKWARD for version in (None, 3) for text in printed(key, version)
    }
    chosen = [word for word in words if reads_dollar_quotes or not word.startswith("$")]
    assert len(chosen) > 20
    script = "".join(f"printf '%s\\0' {word}; printf '\\0'\n" for word in chosen)
    output = subprocess.run([shell, "-c", script], capture_output=True, check=True).stdout.decode()
    handed = [" ".join(arguments.split("\0")) for arguments in output.split("\0\0")[:-1]]
    assert [parse_key(text) for text in handed] == [words[word] for word in chosen]


def read_octal(word: str) -> str:
    """A word in ``$'...'`` by the rules that all shells share: a backslash and three octal digits, one quote or one
    backslash. Others are read differently from shell to shell.
    """
    assert word.startswith("$'")
    assert word.endswith("'")
    return re.sub(rb"\\([0-7]{3}|['\\])", _one, word[2:-1].encode()).decode()


def _one(match: re.Match[bytes]) -> bytes:
    found = match[1]
    return bytes([int(found, 8)]) if len(found) == 3 else found


@given(KEYS)
@example(AWKWARD[-1])
def test_edge_50_escapes_are_those_that_all_shells_read_alike(key: EntityKey) -> None:
    word = pasteable(key)
    if not is_visible(str(key)):
        assert re.fullmatch(r"\$'([^'\\]|\\[0-7]{3}|\\['\\])*'", word)
        assert read_octal(word) == str(key)


def test_edge_50_plain_keys_stay_as_they_are() -> None:
    for text in ("TENANT#t1 ORDER#o1@2", "TENANT#t1#ORDER#o1", "SFN_TASK#t1#mail#01J0000000000000000000000A"):
        assert pasteable(text) == text


def test_edge_50_advice_can_be_pasted() -> None:
    key = EntityKey("TENANT", "O'Brien", "ORDER", "no  7")
    rows = {1: {"pk": key.pk, "sk": key.version_sk(1), "status": "sync_data:FAILED", "error": {"type": "X"}}}
    advice = Advisor(key, rows, Chain(rows, 0, 0.0), 0).of(1)
    assert advice.startswith(f"redrive {pasteable(VersionKey(key, 1))} when")
    words = shlex.split(advice)
    assert parse_key(words[1]) == (key, 1)
