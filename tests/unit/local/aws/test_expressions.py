"""What is refused in expressions whatever is stored. ``tests/real/dynamodb`` compares more with another DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.expressions.conditions import examine
from local.aws.expressions.tokens import ExpressionError
from local.aws.expressions.updates import examine_projection, examine_update
from local.aws.model import AwsRequest
from tests.unit.local.aws.helpers import item, key

NAMES = {"#a": "a", "#b": "b", "#dotted": "x.y"}
TYPES = {":n": "N", ":s": "S", ":l": "L", ":m": "M", ":true": "BOOL", ":null": "NULL", ":ss": "SS", ":b": "B"}


@pytest.mark.parametrize(
    "text",
    [
        "attribute_exists(#a) AND attribute_not_exists(b.c[0].#dotted)",
        "(#a = :n AND NOT (b < :s OR c IN (:n, :s, d)))",
        "#a BETWEEN :n AND :n AND size(#b) >= :n",
        "begins_with(#a, :s) or contains(#b, :l) oR attribute_type(c, :s)",
        "(a) = (:n)",
        ":n = #a",
        "a = :l AND b <> :m AND c = :null AND d IN (:true)",
        "NOT NOT a = :n",
        "size(a) = size(b)",
        "a=:n",
    ],
)
def test_conditions_that_are_right(text: str) -> None:
    examine(text, NAMES, TYPES)


MISUSED = "The function is not allowed to be used this way in an expression; function: "
BAD_TYPE = "Incorrect operand type for operator or function; operator or function: "


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "The expression can not be empty;"),
        ("  ", "The expression can not be empty;"),
        ("a = ", 'Syntax error; token: "<EOF>", near: "="'),
        ("a = 1", 'Syntax error; token: "1", near: "= 1"'),
        ("a ! b", 'Syntax error; token: "!", near: "a ! "'),
        ("a == :n", 'Syntax error; token: "=", near: "== :n"'),
        ("a = :n b", 'Syntax error; token: "b", near: ":n b"'),
        ("(a = :n", 'Syntax error; token: "<EOF>", near: ":n"'),
        ("a = :n)", 'Syntax error; token: ")", near: ":n)"'),
        ("a IN ()", 'Syntax error; token: ")", near: "()"'),
        ("a[01] = :n", 'Syntax error; token: "1", near: "01]"'),
        ("a", 'Syntax error; token: "<EOF>", near: "a"'),
        (":n", 'Syntax error; token: "<EOF>", near: ":n"'),
        ("((a = :n))", "The expression has redundant parentheses;"),
        ("a = ((:n))", "The expression has redundant parentheses;"),
        ("unknown(a)", "Invalid function name; function: unknown"),
        ("SIZE(a) = :n", "Invalid function name; function: SIZE"),
        ("size(a)", f"{MISUSED}size"),
        (
            "contains(a, :s) = :n",
            "The function is not allowed to be used this way in an expression; function: contains",
        ),
        ("status = :n", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("a.Name = :n", "Attribute name is a reserved keyword; reserved keyword: Name"),
        (
            "#c = :n",
            "An expression attribute name used in the document path is not defined; attribute name: #c",
        ),
        ("a = :x", "An expression attribute value used in expression is not defined; attribute value: :x"),
        (
            "attribute_exists(a, b)",
            "Incorrect number of operands for operator or function; "
            "operator or function: attribute_exists, number of operands: 2",
        ),
        (
            "attribute_exists(:n)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("begins_with(a, :n)", f"{BAD_TYPE}begins_with, operand type: N"),
        ("attribute_type(a, :n)", f"{BAD_TYPE}attribute_type, operand type: N"),
        ("attribute_type(a, b)", f"{BAD_TYPE}attribute_type, operand type: {{NS,SS,L,BS,N,M,B,BOOL,NULL,S}}"),
        ("size(:n) = :n", f"{BAD_TYPE}size, operand type: N"),
        ("a < :true", f"{BAD_TYPE}<, operand type: BOOL"),
        ("a >= :l", f"{BAD_TYPE}>=, operand type: L"),
        ("a BETWEEN :ss AND :ss", f"{BAD_TYPE}BETWEEN, operand type: SS"),
        (
            "a.b = a.b",
            "The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: =, first operand: [a, b]",
        ),
        (
            "contains(#a, a)",
            "The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: contains, first operand: [a]",
        ),
        (
            f"a IN ({', '.join([':n'] * 101)})",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
    ],
)
def test_conditions_that_are_wrong(text: str, wrong: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        examine(text, NAMES, TYPES)
    assert str(refused.value) == wrong


@pytest.mark.parametrize(
    "text",
    [
        "SET #a = :n, b[1] = if_not_exists(#b, :n) + :n, d = list_append(:l, e) REMOVE f, g[0] ADD h :ss DELETE i :ss",
        "set a = (:n)",
        "SET a = b",
        "SET a[0] = :n, a[1] = :n",
        "SET a.b = :n, a.c = :n",
        "ADD a :n remove b",
    ],
)
def test_updates_that_are_right(text: str) -> None:
    examine_update(text, NAMES, TYPES)


OVERLAP = "Two document paths {} with each other; must remove or rewrite one of these paths; path one: {}, path two: {}"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a = :n", 'Syntax error; token: "a", near: "a ="'),
        ("SET a = :n,", 'Syntax error; token: "<EOF>", near: ","'),
        ("SET a = b + :n + :n", 'Syntax error; token: "+", near: ":n + :n"'),
        ("REMOVE", 'Syntax error; token: "<EOF>", near: "REMOVE"'),
        ("ADD a b", 'Syntax error; token: "b", near: "a b"'),
        ("SET a = :n SET b = :n", 'The "SET" section can only be used once in an update expression;'),
        ("SET a = upper(b)", "Invalid function name; function: upper"),
        ("SET count = :n", "Attribute name is a reserved keyword; reserved keyword: count"),
        ("SET a = :n, #a = :n", OVERLAP.format("overlap", "[a]", "[a]")),
        ("SET a.b = :n REMOVE a", OVERLAP.format("overlap", "[a, b]", "[a]")),
        ("SET a.b = :n, a[0] = :n", OVERLAP.format("conflict", "[a, b]", "[a, [0]]")),
        ("SET a = b + :s", f"{BAD_TYPE}+, operand type: S"),
        ("SET a = list_append(a, :n)", f"{BAD_TYPE}list_append, operand type: N"),
        (
            "SET a = if_not_exists(:n, :n)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "ADD a :m",
            "Incorrect operand type for operator or function; operator: ADD, operand type: MAP, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :n",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
    ],
)
def test_updates_that_are_wrong(text: str, wrong: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        examine_update(text, NAMES, TYPES)
    assert str(refused.value) == wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a,", 'Syntax error; token: "<EOF>", near: ","'),
        ("a.", 'Syntax error; token: "<EOF>", near: "."'),
        ("a, b.c, a.b", OVERLAP.format("overlap", "[a]", "[a, b]")),
        ("user", "Attribute name is a reserved keyword; reserved keyword: user"),
    ],
)
def test_projections_that_are_wrong(text: str, wrong: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        examine_projection(text, NAMES)
    assert str(refused.value) == wrong


BETWEEN = "a BETWEEN :v AND :w"


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (
            {"ConditionExpression": BETWEEN, "ExpressionAttributeValues": {":v": {"N": "2"}, ":w": {"N": "1"}}},
            "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to",
        ),
        (
            {"ConditionExpression": BETWEEN, "ExpressionAttributeValues": {":v": {"N": "2"}, ":w": {"S": "3"}}},
            "Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds",
        ),
        (
            {"ConditionExpression": "attribute_type(a, :v)", "ExpressionAttributeValues": {":v": {"S": "TEXT"}}},
            "Invalid ConditionExpression: Invalid attribute type name found; type: TEXT, valid types:",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"#b": "b"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeValues": {":b": {"S": "b"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
        ),
        (
            {"ExpressionAttributeNames": {"#b": "b"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"b": "b"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "b"',
        ),
    ],
)  # fmt: skip
def test_requests_that_are_wrong_write_nothing(dynamodb: Any, table: str, given: dict[str, Any], wrong: str) -> None:
    write = {"TableName": table, "Item": item(n=1), **given}

    with pytest.raises(ClientError) as refused:
        dynamodb.put_item(**write)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["Error"]["Message"].startswith(wrong)
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item("2")}}, {"Put": write}])
    assert refused.value.response["Error"]["Message"].startswith(wrong)
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_a_list_s_elements_are_asked_for_by_a_name_s_placeholder(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**item(), "l": {"L": [{"N": "1"}, {"N": "2"}]}})
    dynamodb.update_item(
        TableName=table,
        Key=key(),
        UpdateExpression="SET #l[0] = :v",
        ConditionExpression="#l[1] = :two",
        ExpressionAttributeNames={"#l": "l"},
        ExpressionAttributeValues={":v": {"N": "7"}, ":two": {"N": "2"}},
    )
    found = dynamodb.get_item(
        TableName=table,
        Key=key(),
        ProjectionExpression="#l[1], sk.x, absent[0], pk",
        ExpressionAttributeNames={"#l": "l"},
    )
    assert found["Item"] == {"pk": {"S": "a"}, "l": {"L": [{"N": "2"}]}}


QUERIES = [
    ({"KeyConditionExpression": "pk > :p"}, "Query key condition not supported"),
    ({"KeyConditionExpression": "sk = :p"}, "Query condition missed key schema element: pk"),
    ({"KeyConditionExpression": "pk = :p AND a = :p"}, "Query condition missed key schema element: sk"),
    (
        {"KeyConditionExpression": "pk = :p OR sk = :p"},
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        {"KeyConditionExpression": "pk = :p AND (sk > :p AND sk < :p)"},
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    (
        {"KeyConditionExpression": "pk = :p AND contains(sk, :p)"},
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: contains",
    ),
    (
        {"KeyConditionExpression": "pk = :p AND sk.a = :p"},
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        {"KeyConditionExpression": "pk = :p AND sk = :p AND a = :p"},
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    ),
    (
        {"KeyConditionExpression": "pk = :p", "FilterExpression": "sk <> :p"},
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
    ),
    (
        {"KeyConditionExpression": "pk = :p", "IndexName": "absent"},
        "The table does not have the specified index: absent",
    ),
]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"TableName": ""}, "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater"),
        ({}, "Value null at 'tableName' failed to satisfy constraint: Member must not be null"),
        ({"TableName": "a b"}, "Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular"),
        ({"TableName": "a" * 256}, "at 'tableName' failed to satisfy constraint: Member must have length less than"),
        (
            {"TableName": "absent", "ConditionExpression": "attribute_exists(pk)", "Expected": {}},
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
    ],
)
def test_parameters_are_looked_at_before_the_table(endpoint: AwsEndpoint, given: dict[str, Any], wrong: str) -> None:
    answer = endpoint.handle(AwsRequest("dynamodb", "PutItem", "us-east-1", {"Item": item(), **given}))
    assert answer.status == 400
    assert answer.value["__type"].endswith("#ValidationException")
    assert wrong in answer.value["message"]


@pytest.mark.parametrize(("given", "wrong"), QUERIES)
def test_queries_that_are_wrong(dynamodb: Any, table: str, given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ClientError) as refused:
        dynamodb.query(TableName=table, ExpressionAttributeValues={":p": {"S": "p"}}, **given)
    assert refused.value.response["Error"] == {"Code": "ValidationException", "Message": wrong}


def test_a_key_condition_compares_with_values_of_the_key_s_type(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="Condition parameter type does not match schema type"):
        dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :p AND sk = :n",
            ExpressionAttributeValues={":p": {"S": "p"}, ":n": {"N": "1"}},
        )


def test_a_key_condition_may_be_the_other_way_round(dynamodb: Any, table: str) -> None:
    for sk in ("1", "2", "3"):
        dynamodb.put_item(TableName=table, Item=item(sk))
    found = dynamodb.query(
        TableName=table,
        KeyConditionExpression="(sk > :s) AND (pk = :p)",
        ExpressionAttributeValues={":p": {"S": "a"}, ":s": {"S": "1"}},
    )["Items"]
    assert [one["sk"]["S"] for one in found] == ["2", "3"]


def test_the_size_of_what_is_not_there_compares_with_nothing(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=item(n=1))
    values = {":one": {"N": "1"}}
    for text, count in (("size(absent) >= :one", 0), ("NOT size(absent[0].a) >= :one", 1)):
        found = dynamodb.scan(TableName=table, FilterExpression=text, ExpressionAttributeValues=values)
        assert found["Count"] == count, text


def test_an_update_returns_the_parts_that_it_changed(dynamodb: Any, table: str) -> None:
    entries = {"l": {"L": [{"N": "1"}, {"N": "2"}]}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "1"}}}, "gone": {"N": "1"}}
    for wanted, expected in (
        ("UPDATED_OLD", {"l": {"L": [{"N": "2"}]}, "m": {"M": {"x": {"N": "1"}}}, "gone": {"N": "1"}}),
        ("UPDATED_NEW", {"l": {"L": [{"N": "7"}]}, "m": {"M": {"x": {"N": "7"}}}, "new": {"N": "7"}}),
    ):
        dynamodb.put_item(TableName=table, Item={**item(), **entries})
        answer = dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET l[1] = :v, m.x = :v, #new = :v REMOVE gone",
            ExpressionAttributeNames={"#new": "new"},
            ExpressionAttributeValues={":v": {"N": "7"}},
            ReturnValues=wanted,
        )
        assert answer["Attributes"] == expected
    assert "Attributes" not in dynamodb.update_item(TableName=table, Key=key("2"), ReturnValues="UPDATED_NEW")
