"""Random requests: the operations of ``handlers/store`` and the batches, most of them well formed."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.real.dynamodb.expressions import BROKEN, Placeholders, broken, condition, update
from tests.real.dynamodb.values import KEYS, PARTITIONS, VALUES, items

Request = tuple[str, dict[str, Any]]

#: Tables by what the prefix of an example makes of them: one as the commands table, one with keys in its stream only.
MAIN, OTHER = "main", "other"
INDEX = "open"
TABLES = st.sampled_from((MAIN, MAIN, MAIN, OTHER))
ON_FAILURE = st.sampled_from(({}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}))


def _rarely(draw: st.DrawFn, one_in: int) -> bool:
    return draw(st.integers(1, one_in)) == one_in


def _table(draw: st.DrawFn) -> str:
    return "nowhere" if _rarely(draw, 80) else draw(TABLES)


def _condition(draw: st.DrawFn, given: Placeholders, field: str, one_in: int = 2) -> dict[str, str]:
    if _rarely(draw, 15):
        return {field: broken(draw, given, BROKEN)}
    return {field: condition(draw, given)} if _rarely(draw, one_in) else {}


def _write(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Put, Update, Delete or ConditionCheck, alone or as a part of a transaction."""
    given = Placeholders(draw)
    texts = _condition(draw, given, "ConditionExpression", 1 if kind == "ConditionCheck" else 2)
    request: dict[str, Any] = {"TableName": _table(draw), **draw(ON_FAILURE)}
    if kind == "Put":
        request["Item"] = draw(items())
    else:
        request["Key"] = draw(KEYS)
    if kind == "Update" and not _rarely(draw, 30):
        texts["UpdateExpression"] = update(draw, given)
    return request | given.arguments(texts)


def _single(draw: st.DrawFn, operation: str) -> Request:
    request = _write(draw, operation.removesuffix("Item"))
    wanted = {
        "PutItem": ("NONE", "ALL_OLD", "ALL_NEW"),
        "DeleteItem": ("NONE", "ALL_OLD", "UPDATED_NEW"),
        "UpdateItem": ("ALL_NEW", "ALL_NEW", "ALL_OLD", "UPDATED_NEW", "UPDATED_OLD", "NONE", "SOME"),
    }[operation]
    if not _rarely(draw, 3):
        request["ReturnValues"] = draw(st.sampled_from(wanted))
    return operation, request


def _get(draw: st.DrawFn) -> dict[str, Any]:
    given = Placeholders(draw)
    texts = {}
    if _rarely(draw, 4):
        paths = [given.path() for _ in range(draw(st.integers(1, 3)))]
        texts["ProjectionExpression"] = draw(st.sampled_from((", ".join(paths), ", ".join(paths), "", "a,", "a.")))
    return {"TableName": _table(draw), "Key": draw(KEYS)} | given.arguments(texts)


def _query(draw: st.DrawFn) -> Request:
    given = Placeholders(draw)
    request: dict[str, Any] = {"TableName": _table(draw)}
    texts = _condition(draw, given, "FilterExpression", 4)
    on_index = request["TableName"] == MAIN and _rarely(draw, 3)
    if on_index:
        request["IndexName"] = INDEX if not _rarely(draw, 30) else "absent"
        texts["KeyConditionExpression"] = _index_key(draw, given)
    else:
        texts["KeyConditionExpression"] = _table_key(draw, given)
    if _rarely(draw, 3):
        request["ConsistentRead"] = draw(st.booleans())
    if _rarely(draw, 3):
        request["ScanIndexForward"] = draw(st.booleans())
    if _rarely(draw, 3) and not on_index:
        request["Limit"] = draw(st.sampled_from((1, 2, 3, 100, 0, -1)))
    if _rarely(draw, 10):
        request["Select"] = draw(st.sampled_from(("COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "SOME")))
    return "Query", request | given.arguments(texts)


def _table_key(draw: st.DrawFn, given: Placeholders) -> str:
    pk = given.value(st.sampled_from(PARTITIONS).map(lambda one: {"S": one}) if not _rarely(draw, 15) else VALUES)
    texts = st.sampled_from(("s", "s1", "s10", "s2", "")).map(lambda one: {"S": one})
    kind = texts if not _rarely(draw, 15) else VALUES
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2:
            return f"pk = {pk}"
        case 3 | 4:
            return f"pk = {pk} AND begins_with(sk, {given.value(kind)})"
        case 5 | 6:
            return f"pk = {pk} AND sk {draw(st.sampled_from(('=', '<', '<=', '>', '>=', '<>')))} {given.value(kind)}"
        case 7:
            return f"pk = {pk} AND sk BETWEEN {given.value(kind)} AND {given.value(kind)}"
        case 8:
            return f"({given.name('pk')} = {pk}) AND (begins_with({given.name('sk')}, {given.value(kind)}))"
    return draw(
        st.sampled_from(
            (
                f"pk > {pk}",
                f"pk = {pk} OR sk = {pk}",
                f"pk = {pk} AND a = {pk}",
                f"sk = {pk}",
                f"pk = {pk} AND sk = {pk} AND sk > {pk}",
                f"pk = {pk} AND NOT sk = {pk}",
                f"sk = {pk} AND pk = {pk}",
                f"pk = {pk} AND contains(sk, {pk})",
                f"pk IN ({pk})",
                f"pk = {pk} AND attribute_exists(sk)",
                f"pk {pk}",
                "",
            )
        )
    )


def _index_key(draw: st.DrawFn, given: Placeholders) -> str:
    small = st.integers(0, 3).map(lambda one: {"N": str(one)})
    shard = given.value(small if not _rarely(draw, 15) else VALUES)
    text = f"{given.name('openShard')} = {shard}"
    match draw(st.integers(0, 3)):
        case 0:
            return text
        case 1:
            return f"{text} AND {given.name('dueAt')} BETWEEN {given.value(small)} AND {given.value(small)}"
    return f"{text} AND {given.name('dueAt')} <= {given.value(small)}"


def _scan(draw: st.DrawFn) -> Request:
    given = Placeholders(draw)
    request: dict[str, Any] = {"TableName": _table(draw)}
    texts = _condition(draw, given, "FilterExpression", 2)
    if request["TableName"] == MAIN and _rarely(draw, 6):
        request["IndexName"] = INDEX
    if _rarely(draw, 3):
        request["ConsistentRead"] = draw(st.booleans())
    if _rarely(draw, 4):
        request["Limit"] = draw(st.sampled_from((1, 2, 100, 0)))
    if _rarely(draw, 12):
        request |= draw(
            st.sampled_from(
                (
                    {"Segment": 0, "TotalSegments": 1},
                    {"Segment": 2, "TotalSegments": 2},
                    {"Segment": 0},
                    {"TotalSegments": 2},
                )
            )
        )
    return "Scan", request | given.arguments(texts)


def _transaction(draw: st.DrawFn) -> Request:
    count = draw(st.sampled_from((1, 2, 2, 3, 4))) if not _rarely(draw, 60) else draw(st.sampled_from((0, 100, 101)))
    if count > 4:
        actions = [
            {"Put": {"TableName": MAIN, "Item": {"pk": {"S": "many"}, "sk": {"S": f"{number:03}"}}}}
            for number in range(count)
        ]
    else:
        actions = []
        for _ in range(count):
            kind = draw(st.sampled_from(("Put", "Update", "Update", "Delete", "ConditionCheck")))
            actions.append({kind: _write(draw, kind)})
    request: dict[str, Any] = {"TransactItems": actions}
    if _rarely(draw, 8):
        request["ClientRequestToken"] = draw(st.sampled_from(("token", "token", "", "x" * 36, "x" * 37)))
    return "TransactWriteItems", request


def _gets(draw: st.DrawFn) -> Request:
    count = draw(st.integers(1, 3)) if not _rarely(draw, 40) else draw(st.sampled_from((0, 101)))
    key = {"pk": {"S": "many"}}
    many = [{"Get": {"TableName": MAIN, "Key": key | {"sk": {"S": str(number)}}}} for number in range(count)]
    return "TransactGetItems", {"TransactItems": many if count > 3 else [{"Get": _get(draw)} for _ in range(count)]}


def _batch_write(draw: st.DrawFn) -> Request:
    tables: dict[str, list[Any]] = {}
    count = draw(st.integers(1, 4)) if not _rarely(draw, 40) else draw(st.sampled_from((0, 25, 26)))
    for number in range(count):
        put = draw(st.booleans()) or count > 4
        many = {"pk": {"S": "many"}, "sk": {"S": str(number)}}
        write = (
            {"PutRequest": {"Item": many if count > 4 else draw(items())}}
            if put
            else {"DeleteRequest": {"Key": draw(KEYS)}}
        )
        tables.setdefault(_table(draw) if count <= 4 else MAIN, []).append(write)
    return "BatchWriteItem", {"RequestItems": tables}


def _batch_get(draw: st.DrawFn) -> Request:
    tables: dict[str, Any] = {}
    count = draw(st.integers(1, 3)) if not _rarely(draw, 40) else draw(st.sampled_from((0, 100, 101)))
    for number in range(count):
        key = draw(KEYS) if count <= 3 else {"pk": {"S": "many"}, "sk": {"S": str(number)}}
        tables.setdefault(_table(draw) if count <= 3 else MAIN, {"Keys": []})["Keys"].append(key)
    return "BatchGetItem", {"RequestItems": tables}


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """One request; tables by their short names."""
    match draw(st.integers(0, 19)):
        case 0 | 1 | 2 | 3:
            return _single(draw, "PutItem")
        case 4 | 5 | 6 | 7 | 8:
            return _single(draw, "UpdateItem")
        case 9:
            return _single(draw, "DeleteItem")
        case 10:
            return "GetItem", _get(draw)
        case 11 | 12:
            return _query(draw)
        case 13:
            return _scan(draw)
        case 14 | 15 | 16:
            return _transaction(draw)
        case 17:
            return _gets(draw)
        case 18:
            return _batch_write(draw)
    return _batch_get(draw)
