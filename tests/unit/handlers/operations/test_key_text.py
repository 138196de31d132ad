from __future__ import annotations

import pytest

from handlers.errors import ValidationError
from handlers.keys import EntityKey, row_id
from handlers.operations.key_text import parse_key
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
