from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.commands.keys import EntityKey, VersionKey
from handlers.core.errors import ValidationError
from handlers.core.keys import open_shard, request_sk, tenant_of
from handlers.core.values.stored_names import to_stored_name

#: What is printable, by the categories of Unicode: looking for it among all texts took most of the time.
CHARACTERS = st.characters(exclude_categories=("C", "Z"), include_characters=" ", exclude_characters="#@")
PART = st.text(CHARACTERS, min_size=1, max_size=20).filter(lambda s: s != "REQ")
VERSION = st.integers(min_value=1, max_value=9_999_999_999)


@given(PART, PART, PART, PART, VERSION)
def test_keys_round_trip(kind: str, tenant: str, type_: str, code: str, version: int) -> None:
    key = VersionKey(EntityKey(kind, tenant, type_, code), version)
    assert VersionKey.parse(key.pk, key.sk) == key
    assert EntityKey.parse(key.entity.pk, key.entity.sk) == key.entity
    assert tenant_of(key.pk) == tenant


Parts = tuple[str, str, str, str, int]


@given(st.tuples(PART, PART, PART, PART, VERSION), st.tuples(PART, PART, PART, PART, VERSION))
def test_distinct_entities_never_share_a_key(a: Parts, b: Parts) -> None:
    left, right = (VersionKey(EntityKey(*parts[:4]), parts[4]) for parts in (a, b))
    assert (left == right) == ((left.pk, left.sk) == (right.pk, right.sk))


@given(VERSION, VERSION)
def test_sort_keys_sort_as_numbers(a: int, b: int) -> None:
    key = EntityKey("TENANT", "t1", "ORDER", "o1")
    assert (a < b) == (key.version_sk(a) < key.version_sk(b))


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        (("", "t", "T", "c"), "kind"),
        (("K", "", "T", "c"), "tenantCode"),
        (("K", "a#b", "T", "c"), "tenantCode"),
        (("K", "t", "T@", "c"), "type"),
        (("K", "t", "REQ", "c"), "type"),
        (("K", "t", "T", ""), "code"),
        (("K", "t", "T", "me@example.com"), "code"),
        (("K", "t", "T", "a#b"), "code"),
        (("K", "t", "T", "\ud800"), "code"),
        (("K", "t", "T", 7), "code"),
        (("K", "t" * 2047, "T", "c"), "pk"),
        (("K", "t", "T", "c" * 1012), "sk"),
    ],
)
def test_pub_09_wrong_parts_are_named(parts: tuple[Any, ...], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EntityKey(*parts)
    assert caught.value.field == field


def test_pub_09_sort_key_may_have_1024_bytes_and_not_1025() -> None:
    longest = 1024 - len("T#") - len("@0000000001")
    assert len(EntityKey("K", "t", "T", "c" * longest).version_sk(1)) == 1024
    with pytest.raises(ValidationError, match="at most 1024 bytes, this has 1025"):
        EntityKey("K", "t", "T", "c" * (longest + 1))
    with pytest.raises(ValidationError, match="at most 1024 bytes"):
        EntityKey("K", "t", "T", "ü" * (longest // 2 + 1))


@pytest.mark.parametrize(
    "sk",
    [
        "ORDER#o1",
        "ORDER#o1@1",
        "ORDER#o1@000000000x",
        "ORDER#o1@0000000000",
        "ORDER#o1@000000000\u0661",  # a digit, and int() reads it as 1: another text for the key of version 1
        "ORDER#o1@000000000\u00b2",
        "o1@0000000001",
        7,
    ],
)
def test_malformed_version_keys_are_refused(sk: str) -> None:
    with pytest.raises(ValidationError):
        VersionKey.parse("TENANT#t1", sk)


@pytest.mark.parametrize("pk", ["TENANT", "TENANT#", "TENANT#t1#x", ""])
def test_pub_09_pk_without_tenant(pk: str) -> None:
    with pytest.raises(ValidationError, match=r"pk|tenantCode"):
        EntityKey.parse(pk, "ORDER#o1")


def test_tenant_of_keys_with_more_parts() -> None:
    assert tenant_of("IMPORT#t1#job#3") == "t1"
    with pytest.raises(ValidationError, match="pk"):
        tenant_of("IMPORT")


def test_open_shards_cover_the_range_evenly() -> None:
    counts = [0] * 16
    for number in range(1600):
        counts[open_shard("TENANT#t1", f"ORDER#{number}@0000000001")] += 1
    assert min(counts) > 50


@pytest.mark.parametrize("request_id", ["", "x" * 201, "a@b", 5])
def test_request_ids_are_bounded(request_id: str) -> None:
    with pytest.raises(ValidationError, match="requestId"):
        request_sk(request_id)


def test_stored_names() -> None:
    assert to_stored_name("tenant_code") == "tenantCode"
    assert to_stored_name("pk") == "pk"


def test_versions_fit_their_ten_digits() -> None:
    """Else the sort keys of versions would not be in numeric order."""
    key = EntityKey("TENANT", "t1", "ORDER", "o1")
    assert key.version_sk(9_999_999_999) == "ORDER#o1@9999999999"
    for version in (0, 10_000_000_000, True, 1.0):
        with pytest.raises(ValidationError, match="a whole number from 1 to 9999999999"):
            key.version_sk(version)  # type: ignore[arg-type]
